"""How Spark runs the tasks of a command on a sharded store: rows dealt out to partitions, a task for each of them."""

from __future__ import annotations

import gc
import inspect
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Optional

from lookback import _native
from lookback._call import rows_in_memory, words_of
from lookback._checks import refused, usage
from lookback._tasks import answer
from lookback._types import Columns, Size

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import DataFrame, SparkSession

# Columns that no user's table has.
_SHARD, _SOURCE = "__lookback_shard", "__lookback_source"

# The columns of the contract, of sources that no configuration describes.
_CONTRACT = {
    "clicks": {"customer_id": "customer_id", "item_id": "item_id", "time": "click_time"},
    "add_to_carts": {"customer_id": "customer_id", "item_id": "config_id", "time": "occurred_at"},
}
# The contract's orders may have a date alone, so all their columns are read.

# What a task has at least, in bytes.
_MEMORY_MIN = 256 << 20

# How Spark writes amounts of memory.
_UNITS = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


class Task:
    """The work of one partition, which has the rows of one shard. It is sent to the executors."""

    def __init__(self, words: list[str], cache: Optional[str], cache_size: Optional[Size], memory: Size) -> None:
        self.words = words
        self.cache = cache
        self.cache_size = cache_size
        self.memory = memory
        self.tasks = ""
        self.columns: dict[str, dict[str, str]] = {}
        self.schemas: dict[str, pyarrow.Schema] = {}

    def __call__(self, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow
        from pyspark import TaskContext

        # After each task Spark looks through all objects of a worker, which are mostly modules: a third of the CPU time of
        # a small task. What there is now, when it has just done so, lasts, and is not looked through again.
        gc.freeze()
        context = TaskContext.get()
        assert context is not None, "a task of Spark has a context"
        local = _local_folder()
        words = words_of(
            "",
            cache=self.cache or os.path.join(local, "cache"),
            cache_size=self.cache_size,
            memory_limit=self.memory,
            threads=context.cpus(),
        )
        sources = _Sources(batches, self.schemas)
        streams = {name: _Stream(sources, name, schema) for name, schema in self.schemas.items()}
        rows = rows_in_memory(self.words[1], streams, self.columns)
        said = answer([*self.words, *words], self.tasks, context.partitionId(), rows, os.path.join(local, "scratch"))
        yield pyarrow.RecordBatch.from_pydict({"answer": [said]})


def _local_folder() -> str:
    """Return a folder for files that go when the executor ends."""
    own = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")[0]
    return os.path.join(own or tempfile.gettempdir(), "lookback")


class _Sources:
    """The batches of a partition by source: behind each other, in the order of the sources."""

    def __init__(self, batches: Iterator[pyarrow.RecordBatch], schemas: Mapping[str, pyarrow.Schema]) -> None:
        self._batches = iter(batches)
        self._schemas = schemas
        self._left: Optional[pyarrow.RecordBatch] = None

    def of(self, name: str) -> Iterator[pyarrow.RecordBatch]:
        """Return the batches of a source, to be read before those of the next one."""
        return self._batches if len(self._schemas) == 1 else self._part(name)

    def _part(self, name: str) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow
        import pyarrow.compute

        number = list(self._schemas).index(name)
        while True:
            batch = self._left if self._left is not None else next(self._batches, None)
            self._left = None
            if batch is None:
                return
            # They are sorted by source.
            of_it = pyarrow.compute.equal(batch.column(_SOURCE), number)
            count = pyarrow.compute.sum(of_it).as_py() or 0
            if count > 0:
                yield pyarrow.RecordBatch.from_struct_array(batch.column(name).slice(0, count))
            if count < batch.num_rows:
                self._left = batch.slice(count)
                return


class _Stream:
    """The rows of a source, which are asked for when their turn comes."""

    def __init__(self, sources: _Sources, name: str, schema: pyarrow.Schema) -> None:
        self._sources, self._name, self._schema = sources, name, schema

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        import pyarrow

        batches = self._sources.of(self._name)
        first = next(batches, None)
        schema = self._schema if first is None else first.schema
        reader = pyarrow.RecordBatchReader.from_batches(schema, _chained(first, batches))
        return reader.__arrow_c_stream__(requested_schema)


def _chained(first: Optional[Any], others: Iterator[Any]) -> Iterator[Any]:
    if first is not None:
        yield first
    yield from others


def columns_of(names: Iterable[str], columns: Optional[Columns]) -> dict[str, dict[str, str]]:
    """Return the names of columns by source, of one mapping for all of them or of one for each."""
    named: Mapping[str, Any] = columns or {}
    if all(isinstance(name, str) for name in named.values()):
        return {source: dict(named) for source in names} if named else {}
    return {source: dict(of_source) for source, of_source in named.items()}


def dealt_out(
    frames: Mapping[str, DataFrame],
    columns: Mapping[str, Mapping[str, str]],
    number: int,
    has_text_ids: bool,
    has_config: bool,
) -> tuple[DataFrame, dict[str, pyarrow.Schema]]:
    """Return the rows of all sources with each shard as a partition of its own, and the schema of each source."""
    from pyspark.sql import functions as f

    wanted = {}
    for name, frame in frames.items():
        refuse_indeterminate(name, frame)
        of_source = columns.get(name, {})
        wanted[name] = frame if has_config else _wanted(name, frame, of_source)
    schemas = {name: _arrow_schema(frame) for name, frame in wanted.items()}
    with_shards = {}
    for name, frame in wanted.items():
        customer = columns.get(name, {}).get("customer_id", "customer_id")
        with_shards[name] = _with_shard(name, frame, customer, number, has_text_ids)
    if len(with_shards) == 1:
        (frame,) = with_shards.values()
        return _as_partitions(frame, number).drop(_SHARD), schemas
    together: Optional[DataFrame] = None
    for position, (name, frame) in enumerate(with_shards.items()):
        struct = f.struct(*(f.col(_quoted(column)) for column in wanted[name].columns)).alias(name)
        one = frame.select(_SHARD, f.lit(position).alias(_SOURCE), struct)
        together = one if together is None else together.unionByName(one, allowMissingColumns=True)
    assert together is not None, "there is a source"
    return _as_partitions(together, number).drop(_SHARD).sortWithinPartitions(_SOURCE), schemas


def _arrow_schema(frame: DataFrame) -> pyarrow.Schema:
    """Return the schema of batches of a DataFrame, for a partition that has none."""
    from pyspark.sql.pandas.types import to_arrow_schema

    # Newer versions ask for the zone of timestamps.
    zone: Any = {"timezone": "UTC"} if "timezone" in inspect.signature(to_arrow_schema).parameters else {}
    return to_arrow_schema(frame.schema, **zone)


def _wanted(name: str, frame: DataFrame, columns: Mapping[str, str]) -> DataFrame:
    """Return a DataFrame with the columns that are read of a source, where this is known: others are not shuffled."""
    of_source = {**_CONTRACT.get(name, {}), **columns}
    if name not in _CONTRACT and not {"customer_id", "item_id", "time", "type"} <= of_source.keys():
        return frame
    tops = {column.split(".")[0] for column in of_source.values()}
    return frame.select([_quoted(column) for column in frame.columns if column in tops or column in of_source.values()])


def _with_shard(name: str, frame: DataFrame, customer: str, number: int, has_text_ids: bool) -> DataFrame:
    from pyspark.sql import functions as f
    from pyspark.sql.types import IntegerType, StringType, StructField, StructType

    top = customer if customer in frame.columns else customer.split(".")[0]
    if top not in frame.columns:
        raise usage(
            f"the DataFrame given as {name} has no column {customer}",
            f"name the column of the customer: columns={{'customer_id': …}} (there are: {', '.join(frame.columns)})",
        )
    path = _quoted(customer) if customer in frame.columns else customer
    if has_text_ids:
        schema = StructType([*frame.schema.fields, StructField(_SHARD, IntegerType())])
        return frame.mapInArrow(_TextShards(customer, number), schema)
    is_text = isinstance(frame.select(f.col(path)).schema[0].dataType, StringType)
    # A text that is no number has no shard, and goes to a task that names it.
    as_number = f.expr(f"try_cast({path} as bigint)") if is_text else f.col(path).cast("bigint")
    hashed = f.pmod(f.xxhash64(as_number), f.lit(number).cast("bigint"))
    return frame.withColumn(_SHARD, hashed.cast("int"))


class _TextShards:
    """Adds the shard of customers who are text."""

    def __init__(self, customer: str, number: int) -> None:
        self._customer, self._number = customer, number

    def __call__(self, batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow
        import pyarrow.compute

        for batch in batches:
            path = [self._customer] if self._customer in batch.schema.names else self._customer.split(".")
            texts = batch.column(path[0])
            for field in path[1:]:
                texts = pyarrow.compute.struct_field(texts, field)
            shards = _native.shards_of(texts.cast(pyarrow.string()).to_pylist(), self._number)
            yield pyarrow.RecordBatch.from_arrays(
                [*batch.columns, pyarrow.array(shards, pyarrow.int32())], names=[*batch.schema.names, _SHARD]
            )


def _as_partitions(frame: DataFrame, number: int) -> DataFrame:
    """Return a DataFrame of so many partitions, each with the rows of the shard of its number."""
    from pyspark.sql import functions as f

    if hasattr(frame, "repartitionById"):
        return frame.repartitionById(number, _SHARD)
    # Before Spark 4.1 rows go by a hash of a key: so each shard has a key that goes to its partition.
    spark = frame.sparkSession
    found: dict[int, int] = {}
    first = 0
    while len(found) < number:
        keys = spark.range(first, first + 8 * number).select(f.col("id").cast("int").alias("key"))
        for row in keys.select("key", f.pmod(f.hash("key"), f.lit(number)).alias("partition")).collect():
            found.setdefault(row["partition"], row["key"])
        first += 8 * number
    keys_of_shards = f.array(*(f.lit(found[shard]) for shard in range(number)))
    # The key has the name of the shard, which nobody reads any more.
    return frame.withColumn(_SHARD, f.element_at(keys_of_shards, f.col(_SHARD) + 1)).repartition(number, _SHARD)


def refuse_indeterminate(name: str, frame: DataFrame) -> None:
    """Fail if a DataFrame may have other rows each time it is computed, as far as the session says."""
    if type(frame).__module__.startswith("pyspark.sql.connect"):
        return
    if not frame._jdf.queryExecution().analyzed().deterministic():
        raise refused(
            f"the DataFrame given as {name} has other rows each time it is computed: it uses rand(), uuid() or the like",
            "write it to a table and read that, or keep its rows: frame.localCheckpoint()",
        )


def task_memory(spark: SparkSession) -> int:
    """Return the memory of a task in bytes: its share of what an executor leaves to Python."""
    slots = max(1, int(_setting(spark, "spark.executor.cores", "1")) // int(_setting(spark, "spark.task.cpus", "1")))
    own = _setting(spark, "spark.executor.pyspark.memory", "")
    if own:
        return max(_MEMORY_MIN, _bytes(own, "m") // slots)
    overhead = _setting(spark, "spark.executor.memoryOverhead", "")
    factor = float(_setting(spark, "spark.executor.memoryOverheadFactor", "0.1"))
    default = int(factor * _bytes(_setting(spark, "spark.executor.memory", "1g"), "m"))
    return max(_MEMORY_MIN, (_bytes(overhead, "m") if overhead else max(default, 384 << 20)) // slots)


def _setting(spark: SparkSession, name: str, default: str) -> str:
    try:
        value = spark.conf.get(name, default)
    except Exception:  # Where the service keeps a setting to itself, each version raises another class.
        return default
    return default if value is None else str(value)


def _bytes(text: str, unit: str) -> int:
    """Return an amount of memory that a setting of Spark has, in ``unit`` where it names none."""
    text = text.strip().lower().removesuffix("b")
    if text and text[-1] in _UNITS:
        text, unit = text[:-1], text[-1]
    return int(text) * _UNITS[unit]


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"
