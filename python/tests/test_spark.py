"""Both stages on Spark: the rows of one machine, whatever fails."""

import datetime
import json
import logging
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import lookback

pyspark = pytest.importorskip("pyspark")
pyarrow = pytest.importorskip("pyarrow")

from pyspark.sql import SparkSession, functions

import lookback.spark

SHARDS = 8
COLUMNS = {"customer_id": "user", "item_id": "sku", "time": "at", "type": "kind"}
NAMES = {"customer_id": "user", "impressions": "items"}


def start(master, **settings):
    builder = SparkSession.builder.master(master).appName("lookback tests")
    builder = builder.config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.sql.shuffle.partitions", "4")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    builder = builder.config("spark.executorEnv.LOOKBACK_TODAY", os.environ["LOOKBACK_TODAY"])
    builder = builder.config("spark.executorEnv.PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    for name, value in settings.items():
        builder = builder.config(name.replace("_", "."), value)
    return builder.getOrCreate()


def end(session):
    """Ends a session and its JVM, which then removes its folders."""
    gateway = pyspark.SparkContext._gateway
    session.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(60)
    pyspark.SparkContext._gateway = pyspark.SparkContext._jvm = None


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    local = tmp_path_factory.mktemp("spark")
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    session = start("local-cluster[2,1,1024]", spark_local_dir=str(local), spark_executor_memory="1g")
    session.sparkContext.setLogLevel("OFF")
    yield session
    end(session)
    left = [os.path.join(folder, name) for folder, _, names in os.walk(local) for name in names]
    assert not [name for name in left if "lookback" in name], "nothing is left of the tasks"


def actions_of(seed, day, rows=400, customers=90):
    """The actions of a batch: some late, some equal to another."""
    chosen = random.Random(seed)
    midnight = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.timezone.utc)
    batch = []
    for _ in range(rows):
        late = chosen.randrange(3) if chosen.random() < 0.1 else 0
        at = midnight - datetime.timedelta(days=late) + datetime.timedelta(seconds=chosen.randrange(86_400))
        row = (chosen.randrange(customers) - 20, 1 + chosen.randrange(30), at, 1 + chosen.randrange(3))
        batch += [row] * (2 if chosen.random() < 0.05 else 1)
    chosen.shuffle(batch)
    return table_of(batch)


def table_of(batch):
    columns = list(zip(*batch)) if batch else [[]] * 4
    types = [pyarrow.int64(), pyarrow.int64(), pyarrow.timestamp("us", "UTC"), pyarrow.int32()]
    return pyarrow.table({name: pyarrow.array(column, kind) for name, column, kind in zip(COLUMNS.values(), columns, types)})


def impressions_of(seed, rows=60, customers=110):
    chosen = random.Random(seed)
    items = [
        [{"item_id": 1 + chosen.randrange(30), "is_order": chosen.randrange(2)} for _ in range(1 + chosen.randrange(4))]
        for _ in range(rows)
    ]
    return pyarrow.table(
        {
            "ranking_id": [f"r{number}" for number in range(rows)],
            "user": [chosen.randrange(customers) - 20 for _ in range(rows)],
            "items": items,
        }
    )


DAYS = ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"]


class Both:
    """The same batches and rows in a sharded store by Spark and in a store of one machine."""

    def __init__(self, spark, folder, shards=SHARDS):
        self.spark, self.folder = spark, folder
        self.sharded = lookback.spark.Store(folder / "sharded", shards=shards)
        lookback.init(folder / "store")

    def ingest(self, day, table, **settings):
        by_spark = self.sharded.ingest(self.spark.createDataFrame(table), dt=day, columns=COLUMNS, **settings)
        alone = lookback.ingest(self.folder / "store", dt=day, actions=table, columns=COLUMNS, **settings)
        for name in ["dt", "actions", "types", "late", "early", "duplicates", "customers", "new_customers", "files"]:
            assert by_spark[name] == alone[name], name
        return by_spark

    def same_rows(self, day, shown, **settings):
        shown, settings = impressions_of(shown), {"columns": NAMES, **settings}
        publish = {"publish": "delta"} if settings.pop("delta", False) else {}
        frame = self.spark.createDataFrame(shown)
        by_spark = self.sharded.produce(frame, dt=day, out=self.folder / "rows", **settings, **publish)
        other = {"table": "delta"} if publish else {}
        alone = lookback.produce(
            self.folder / "store", dt=day, impressions=shown, out=self.folder / "other", **settings, **other
        )
        for name in ["rows", "customers", "ordered", "without_history", "filled", "newest_batch", "impressions"]:
            assert by_spark[name] == alone[name], name
        assert lookback.diff(self.folder / "rows", self.folder / "other", dt=day)["same"]
        lookback.manifest(self.folder / "rows", dt=day, check=True)
        return by_spark


@pytest.mark.parametrize("delta", [False, True])
def test_the_rows_are_those_of_one_machine(spark, tmp_path, delta):
    both = Both(spark, tmp_path)
    for seed, day in enumerate(DAYS):
        assert both.ingest(day, actions_of(seed, day))["version"] == seed + 2
    made = both.same_rows("2026-01-05", 1, delta=delta)
    assert made["version"] == 5 and made["rows"] > 100
    # A correction, late data, an earlier morning, fewer actions, and a shard without any row.
    both.ingest("2026-01-02", actions_of(10, "2026-01-02"))
    both.ingest("2026-01-06", actions_of(11, "2026-01-04", rows=3))
    for day, settings in {
        "2026-01-05": {"known_as_of": "2026-01-04", "allow_gaps": True},
        "2026-01-04": {"max_history": 5, "with_": ["history_length", "action_ages"]},
        "2026-01-03": {"order": "shuffled", "seed": 7, "lookback_days": 1},
    }.items():
        both.same_rows(day, 2, delta=delta, **({} if delta else settings))
    forgotten = [7, 8, -3]
    both.sharded.forget(forgotten)
    lookback.forget(tmp_path / "store", customers=forgotten)
    both.same_rows("2026-01-04", 3, delta=delta)
    lookback.shards.split(both.sharded.url)
    both.same_rows("2026-01-04", 3, delta=delta)
    assert lookback.shards.verify(both.sharded.url)["faults"] == 0
    frame = lookback.spark.rows(spark, tmp_path / "rows", "2026-01-04")
    assert frame.count() == lookback.manifest(tmp_path / "rows", dt="2026-01-04")["rows"]
    assert [row["dt"] for row in frame.select("dt").distinct().collect()] == [datetime.date(2026, 1, 4)]


def test_sources_by_name_and_a_backfill(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4)
    all_days = pyarrow.concat_tables(
        [actions_of(seed, day).append_column("dt", pyarrow.array([day] * len(actions_of(seed, day)))) for seed, day in enumerate(DAYS)]
    )
    frame = spark.createDataFrame(all_days)
    of_kind = {
        name: frame.where(frame.kind == number).drop("kind")
        for number, name in enumerate(["clicks", "add_to_carts", "orders"], 1)
    }
    columns = {name: {"customer_id": "user", "item_id": "sku", "time": "at"} for name in of_kind}
    shown = pyarrow.concat_tables(
        [impressions_of(seed).append_column("dt", pyarrow.array([day] * 60)) for seed, day in enumerate(DAYS)]
    )
    made = sharded.backfill(
        **of_kind,
        from_="2026-01-01",
        to="2026-01-04",
        columns={**columns, "impressions": NAMES},
        impressions=spark.createDataFrame(shown),
        out=tmp_path / "rows",
        as_daily=True,
        produce={"allow_gaps": True},
    )
    assert [summary.get("rows") is not None for summary in made] == [False] * 4 + [True] * 4
    again = sharded.backfill(**of_kind, from_="2026-01-01", to="2026-01-04", columns=columns)
    assert again == [], "the store holds these days"
    lookback.init(tmp_path / "store")
    for seed, day in enumerate(DAYS):
        table = actions_of(seed, day)
        alone = {
            name: table.filter(pyarrow.compute.equal(table["kind"], number)).drop_columns("kind")
            for number, name in enumerate(of_kind, 1)
        }
        lookback.ingest(tmp_path / "store", dt=day, columns=columns, **alone)
    for seed, day in enumerate(DAYS):
        before = (datetime.date.fromisoformat(day) - datetime.timedelta(days=1)).isoformat()
        lookback.produce(
            tmp_path / "store", dt=day, impressions=impressions_of(seed), columns=NAMES, out=tmp_path / "other",
            known_as_of=before, allow_gaps=True,
        )
    assert lookback.diff(tmp_path / "rows", tmp_path / "other")["same"]


def test_text_customers(spark, tmp_path):
    config = tmp_path / "lookback.toml"
    config.write_text('[ids]\ncustomer = "text"\n')
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4, config=config)
    lookback.init(tmp_path / "store", config=config)

    def named(table):
        users = [f"user-{number}" for number in table["user"].to_pylist()]
        return table.set_column(table.schema.get_field_index("user"), "user", pyarrow.array(users))

    for seed, day in enumerate(DAYS[:2]):
        table = named(actions_of(seed, day))
        sharded.ingest(spark.createDataFrame(table), dt=day, columns=COLUMNS, config=config)
        lookback.ingest(tmp_path / "store", dt=day, actions=table, columns=COLUMNS, config=config)
    shown = named(impressions_of(1))
    sharded.produce(spark.createDataFrame(shown), dt=DAYS[2], out=tmp_path / "rows", columns=NAMES, config=config)
    lookback.produce(
        tmp_path / "store", impressions=shown, dt=DAYS[2], out=tmp_path / "other", columns=NAMES, config=config
    )
    assert lookback.diff(tmp_path / "rows", tmp_path / "other", dt=DAYS[2])["same"]


def test_a_batch_comes_once_under_an_identity_and_by_its_content(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=2)
    table = actions_of(1, DAYS[0])
    frame = spark.createDataFrame(table)
    assert sharded.ingest(frame, dt=DAYS[0], columns=COLUMNS, batch_id="snapshot 1")["version"] == 2
    again = sharded.ingest(frame, dt=DAYS[0], columns=COLUMNS, batch_id="snapshot 1")
    assert (again["version"], again["kept"]) == (2, True)
    # The same rows in another order and other chunks are the same batch: the rows rest on the same.
    shown = spark.createDataFrame(impressions_of(1))
    sharded.produce(shown, dt=DAYS[1], out=tmp_path / "rows", columns=NAMES)
    before = lookback.manifest(tmp_path / "rows", dt=DAYS[1])
    mixed = table.take(random.Random(1).sample(range(len(table)), len(table)))
    other = spark.createDataFrame(mixed).repartition(7)
    assert sharded.ingest(other, dt=DAYS[0], columns=COLUMNS)["replaced"]
    sharded.produce(shown.repartition(3), dt=DAYS[1], out=tmp_path / "rows", columns=NAMES)
    assert lookback.manifest(tmp_path / "rows", dt=DAYS[1]) == before


def test_what_cannot_be_is_one_sentence_and_changes_nothing(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=4)
    good = spark.createDataFrame(actions_of(1, DAYS[0]))
    frame = good.withColumn("sku", functions.when(functions.col("user") == 7, None).otherwise(functions.col("sku")))
    with pytest.raises(lookback.Input, match="actions.*sku"):
        sharded.ingest(frame, dt=DAYS[0], columns=COLUMNS)
    with pytest.raises(lookback.Usage, match="no column customer_id.*there are: user"):
        sharded.ingest(good, dt=DAYS[0])
    with pytest.raises(lookback.Refused, match="other rows each time.*localCheckpoint"):
        sharded.ingest(good.where(functions.rand() < 0.5), dt=DAYS[0], columns=COLUMNS)
    with pytest.raises(lookback.Input, match="has no actions"):
        sharded.ingest(good.limit(0), dt=DAYS[0], columns=COLUMNS)
    with pytest.raises(lookback.Input, match="over ten years from that day"):
        sharded.ingest(good, dt="1999-01-01", columns=COLUMNS)
    with pytest.raises(lookback.Refused, match="later than tomorrow"):
        sharded.ingest(good, dt="2031-01-01", columns=COLUMNS)
    shown = spark.createDataFrame(impressions_of(1))
    with pytest.raises(lookback.Usage, match="no way 'iceberg'"):
        sharded.produce(shown, dt=DAYS[1], out=tmp_path / "rows", publish="iceberg")
    assert sharded.status()["version"] == 1
    sharded.ingest(good, dt=DAYS[0], columns=COLUMNS)
    with pytest.raises(lookback.Refused, match="2026-01-02"):
        sharded.produce(shown, dt="2026-01-04", out=tmp_path / "rows", columns=NAMES)
    assert not (tmp_path / "rows" / "dt=2026-01-04").exists()
    assert sharded.status()["version"] == 2
    # A source that all batches had, and this one has not.
    store = lookback.spark.Store(tmp_path / "by_source", shards=2)
    columns = {"customer_id": "user", "item_id": "sku", "time": "at"}
    clicks, orders = good.where(good.kind == 1).drop("kind"), good.where(good.kind == 3).drop("kind")
    for day in DAYS[:3]:
        store.ingest(clicks=clicks, orders=orders, dt=day, columns=columns)
    with pytest.raises(lookback.Refused, match="no file of orders"):
        store.ingest(clicks=clicks, orders=orders.limit(0), dt=DAYS[3], columns=columns)
    store.ingest(clicks=clicks, orders=orders.limit(0), dt=DAYS[3], columns=columns, allow_missing_source=True)


def test_a_store_is_made_once_and_has_its_number_of_shards(spark, tmp_path, caplog):
    with pytest.raises(lookback.Refused, match="no sharded store"):
        lookback.spark.Store(tmp_path / "sharded")
    lookback.spark.Store(tmp_path / "sharded", shards=4, max_history=50)
    with caplog.at_level(logging.WARNING, "lookback"):
        store = lookback.spark.Store(tmp_path / "sharded", shards=8)
    assert "has 4 shards, and not 8" in caplog.text and store.status()["max_history"] == 50


def test_partitions_are_shards_also_before_spark_4_1(spark):
    from lookback import _spark

    class Old:
        """A DataFrame without what is new."""

        def __init__(self, frame):
            self._frame, self.sparkSession = frame, frame.sparkSession

        def withColumn(self, name, column):  # noqa: N802
            return self._frame.withColumn(name, column)

    number = 16
    shard = functions.pmod(functions.col("id"), functions.lit(number)).cast("int").alias(_spark._SHARD)
    frame = spark.range(1000).select("id", shard)
    for dealt in [_spark._as_partitions(frame, number), _spark._as_partitions(Old(frame), number)]:
        placed = dealt.select("id", functions.spark_partition_id().alias("partition")).collect()
        assert len(placed) == 1000
        if dealt.columns[-1] == _spark._SHARD:
            shards_of = {}
            for row in placed:
                shards_of.setdefault(row["partition"], set()).add(row["id"] % number)
        assert shards_of == {part: {part} for part in range(number)}


def test_table_files_in_the_cache_are_not_fetched(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=2, cache=tmp_path / "cache")
    for seed, day in enumerate(DAYS[:3]):
        made = sharded.ingest(spark.createDataFrame(actions_of(seed, day)), dt=day, columns=COLUMNS)
        # Both executors have one disk; all files but those of the first version were made on it.
        assert made["fetched_files"] <= (2 if day == DAYS[0] else 0)
    produced = sharded.produce(
        spark.createDataFrame(impressions_of(1)), dt=DAYS[3], out=tmp_path / "rows", columns=NAMES
    )
    assert produced["fetched_files"] == 0


def test_two_drivers(spark, tmp_path):
    sharded = lookback.spark.Store(tmp_path / "sharded", shards=2)
    made, days = {}, DAYS

    def drive(seed, day):
        made[day] = lookback.spark.Store(sharded.url).ingest(
            spark.createDataFrame(actions_of(seed, day)), dt=day, columns=COLUMNS
        )["version"]

    threads = [threading.Thread(target=drive, args=one) for one in enumerate(days)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made.values()) == [2, 3, 4, 5], "each has made a version of its own"
    lookback.init(tmp_path / "store")
    for seed, day in enumerate(days):
        lookback.ingest(tmp_path / "store", dt=day, actions=actions_of(seed, day), columns=COLUMNS)
    lookback.shards.export(sharded.url, to=tmp_path / "exported")
    rows = {}
    for store in ["store", "exported"]:
        out = tmp_path / f"of-{store}"
        rows[store] = lookback.produce(tmp_path / store, dt="2026-01-05", impressions=impressions_of(1), out=out, columns=NAMES)
    assert lookback.diff(tmp_path / "of-store", tmp_path / "of-exported")["same"]


def test_memory_of_a_task_is_its_share_of_the_executor():
    from lookback import _spark

    class Session:
        def __init__(self, **settings):
            self.conf = {name.replace("_", "."): value for name, value in settings.items()}

    gib = 1 << 30
    for settings, share in {
        (): 384 << 20,
        (("spark_executor_memory", "16g"),): int(0.1 * 16 * gib),
        (("spark_executor_memory", "16g"), ("spark_executor_cores", "4")): int(0.1 * 16 * gib) // 4,
        (("spark_executor_memoryOverhead", "8192"), ("spark_executor_cores", "4")): 2 * gib,
        (("spark_executor_memoryOverhead", "6gb"), ("spark_executor_cores", "4"), ("spark_task_cpus", "2")): 3 * gib,
        (("spark_executor_pyspark_memory", "3g"), ("spark_executor_cores", "2")): 3 * gib // 2,
        (("spark_executor_pyspark_memory", "1000"), ("spark_executor_cores", "8")): 256 << 20,
    }.items():
        assert _spark.task_memory(Session(**dict(settings))) == share, settings


@pytest.fixture
def shop(spark, tmp_path):
    """Tables of a shop: its actions and impressions with a column for the day."""
    spark.sql(f"create database shop location '{tmp_path / 'shop'}'")
    actions = [actions_of(seed, day) for seed, day in enumerate(DAYS)]
    shown = [impressions_of(seed) for seed, _ in enumerate(DAYS)]

    def with_days(tables):
        return pyarrow.concat_tables(
            table.append_column("dt", pyarrow.array([day] * len(table))) for table, day in zip(tables, DAYS)
        )

    of_impressions = {"user": "customer_id", "items": "impressions"}
    impressions = with_days(shown)
    impressions = impressions.rename_columns([of_impressions.get(name, name) for name in impressions.column_names])
    spark.createDataFrame(with_days(actions)).write.saveAsTable("shop.actions")
    spark.createDataFrame(impressions).write.saveAsTable("shop.impressions")
    yield tmp_path
    spark.sql("drop database shop cascade")


def test_the_python_of_the_guide(spark, shop, monkeypatch, capsys):
    monkeypatch.chdir(shop)
    page = (Path(__file__).parents[2] / "docs" / "spark.md").read_text()
    programs = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(programs) == 2
    for program in programs:
        exec(program.replace("s3://shop", str(shop / "places")).replace("shards=64", "shards=4"), {})
    rows = lookback.manifest(shop / "places" / "rows", dt="2026-01-02")["rows"]
    assert rows > 0 and int(capsys.readouterr().out) == rows
    assert lookback.shards.status(shop / "places" / "copy")["shards"] == 4


def test_the_example_for_spark_submit_and_its_jobs(spark, shop):
    examples = Path(__file__).parents[2] / "examples"
    lines = {"kind": "type", "at": "time", "user": "customer_id", "sku": "item_id"}
    actions = spark.table("shop.actions")
    actions = actions.select("dt", *(functions.col(name).alias(other) for name, other in lines.items()))
    actions.write.parquet(str(shop / "actions"))
    spark.table("shop.impressions").write.parquet(str(shop / "impressions"))
    job = json.loads((examples / "spark" / "databricks_job.json").read_text())
    [task] = job["tasks"]
    given = task["spark_python_task"]["parameters"]
    assert Path(task["spark_python_task"]["python_file"]).name == "nightly.py"
    ours = {
        "s3://shop/histories": shop / "sharded",
        "64": 4,
        "shop.actions": shop / "actions",
        "shop.impressions": shop / "impressions",
        "s3://shop/rows": shop / "rows",
        "{{job.parameters.dt}}": "2026-01-02",
    }
    words = [str(ours.get(word, word)) for word in given]
    submit = Path(sys.executable).parent / "spark-submit"
    line = [str(submit), "--master", "local[2]", str(examples / "spark" / "nightly.py"), *words]
    said = subprocess.run(line, capture_output=True, text=True, timeout=300)
    assert said.returncode == 0, said.stderr
    lookback.manifest(shop / "rows", dt="2026-01-02", check=True)
    manifest = lookback.manifest(shop / "rows", dt="2026-01-02")
    assert said.stdout.splitlines()[-1] == f"{manifest['rows']:,} rows of 2026-01-02"
    assert (shop / "rows" / "_delta_log").is_dir(), "the job makes a Delta table"
    # The DAG has the same words.
    dag = (examples / "airflow" / "lookback_spark_nightly.py").read_text()
    assert {word for word in given if word.startswith("--")} - {"--publish"} <= set(re.findall(r"--[a-z]+", dag))


def test_spark_connect(tmp_path):
    line = [sys.executable, str(Path(__file__).with_name("spark_connect.py")), str(tmp_path)]
    paths = os.pathsep.join([str(Path(__file__).parent), *(path for path in sys.path if path)])
    said = subprocess.run(line, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": paths})
    assert said.returncode == 0, said.stderr
    assert int(said.stdout.split()[-1]) > 100


def test_a_customer_with_half_of_the_day(spark, tmp_path):
    both = Both(spark, tmp_path)
    both.sharded = lookback.spark.Store(both.sharded.url, task_memory="256MiB")
    for seed, day in enumerate(DAYS[:2]):
        many = actions_of(seed, day, rows=20_000)
        half = pyarrow.array([7 if number % 2 else user for number, user in enumerate(many["user"].to_pylist())])
        both.ingest(day, many.set_column(0, "user", half))
    shown = next(seed for seed in range(100) if 7 in impressions_of(seed)["user"].to_pylist())
    assert both.same_rows(DAYS[2], shown)["customers_at_cap"] >= 1
