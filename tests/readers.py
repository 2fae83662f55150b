"""Reads a produced folder by each of its readers' usual ways, root and partition, and prints how many rows each found at the root.

Fails where a reader refuses the folder, gives a column another type than the contract says, or gives `dt` another value or type than it
gives to partition columns.
"""

import os
import sys
import tempfile
from datetime import date

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.dataset
import pyarrow.parquet

out = sys.argv[1]
DAYS = ["2026-01-03", "2026-01-04", "2026-01-05"]
DATES = [date.fromisoformat(day) for day in DAYS]
part = f"{out}/dt={DAYS[1]}"
NAMES = ["ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types"]


def put(reader, rows):
    print(f"{reader}: {rows}")


# pyarrow: a table, whose partition columns are dictionaries, and a dataset, whose partition columns are strings where there is a partitioning.
table = pyarrow.parquet.read_table(out)
assert table.column_names == [*NAMES, "dt"], table.column_names
assert table.schema.field("dt").type == pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), table.schema
assert sorted(set(table["dt"].to_pylist())) == DAYS
assert pyarrow.parquet.read_table(part).num_rows > 0
assert pyarrow.parquet.read_table(out, filters=[("dt", "=", DAYS[1])]).num_rows == pyarrow.parquet.read_table(part).num_rows
put("pyarrow read_table", table.num_rows)
plain = pyarrow.dataset.dataset(out)
assert plain.schema.names == NAMES, plain.schema
put("pyarrow dataset", plain.to_table().num_rows)
hive = pyarrow.dataset.dataset(out, partitioning="hive")
assert hive.schema.names == [*NAMES, "dt"] and hive.schema.field("dt").type == pyarrow.string(), hive.schema
assert sorted(set(hive.to_table(columns=["dt"])["dt"].to_pylist())) == DAYS
put("pyarrow dataset by hive", hive.to_table().num_rows)
typed = pyarrow.dataset.partitioning(pyarrow.schema([("dt", pyarrow.date32())]), flavor="hive")
typed = pyarrow.dataset.dataset(out, partitioning=typed)
assert sorted(set(typed.to_table(columns=["dt"])["dt"].to_pylist())) == DATES
put("pyarrow dataset by hive dates", typed.count_rows())

frame = pandas.read_parquet(out)
assert list(frame.columns) == [*NAMES, "dt"] and len(pandas.read_parquet(part)) > 0
assert isinstance(frame["dt"].dtype, pandas.CategoricalDtype) and sorted(set(frame["dt"])) == DAYS, frame["dt"].dtype
assert all(len(actions) == 1000 for actions in frame["actions"])
put("pandas", len(frame))

WANTED = {"ranking_id": "VARCHAR", "customer_id": "BIGINT", "impression_pos": "INTEGER", "impression_item_id": "BIGINT",
          "label": "INTEGER", "actions": "BIGINT[]", "action_types": "INTEGER[]", "dt": "DATE"}
for way, files in {"duckdb": f"'{out}/*/*.parquet'", "duckdb read_parquet": f"read_parquet('{out}/**/part-*.parquet')",
                   "duckdb by hive": f"read_parquet('{out}/*/*.parquet', hive_partitioning = true)"}.items():
    types = dict(row[:2] for row in duckdb.sql(f"describe select * from {files}").fetchall())
    assert types == WANTED, (way, types)
    assert [row[0] for row in duckdb.sql(f"select distinct dt from {files} order by dt").fetchall()] == DATES
    put(way, duckdb.sql(f"select count(*) from {files} where len(actions) = 1000").fetchall()[0][0])

for way, lazy in {"polars": polars.scan_parquet(out), "polars by pattern": polars.scan_parquet(f"{out}/**/*.parquet", hive_partitioning=True),
                  "polars by hive": polars.scan_parquet(out, hive_partitioning=True)}.items():
    assert lazy.collect_schema().names() == [*NAMES, "dt"], (way, lazy.collect_schema())
    assert lazy.collect_schema()["dt"] == polars.Date and lazy.collect_schema()["actions"] == polars.List(polars.Int64), way
    assert lazy.select(polars.col("dt").unique().sort()).collect()["dt"].to_list() == DATES, way
    put(way, lazy.select(polars.len()).collect().item())
assert polars.read_parquet(part).height > 0

with tempfile.TemporaryDirectory() as cache:
    os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": cache, "HF_DATASETS_CACHE": cache, "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    import datasets

    for way, arguments in {"datasets data_files": {"data_files": f"{out}/*/part-*.parquet"},
                           "datasets all files": {"data_files": {"train": f"{out}/**/*.parquet"}}}.items():
        loaded = datasets.load_dataset("parquet", split="train", **arguments)
        assert loaded.column_names == NAMES, (way, loaded.column_names)
        put(way, loaded.num_rows)
    streamed = datasets.load_dataset("parquet", split="train", streaming=True, data_files=f"{out}/*/part-*.parquet")
    put("datasets streaming", sum(1 for _ in streamed))

from pyspark.sql import SparkSession  # noqa: E402

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1")
         .config("spark.driver.bindAddress", "127.0.0.1").config("spark.log.level", "ERROR").getOrCreate())
try:
    rows = spark.read.parquet(out)
    assert rows.columns == [*NAMES, "dt"], rows.columns
    types = dict(rows.dtypes)
    assert (types["dt"], types["actions"], types["customer_id"]) == ("date", "array<bigint>", "bigint"), types
    assert sorted(row[0] for row in rows.select("dt").distinct().collect()) == DATES
    put("spark", rows.where("size(actions) = 1000").count())
    assert spark.read.parquet(part).columns == NAMES
    rows.createOrReplaceTempView("training_rows")
    put("spark sql", spark.sql("select count(*) from training_rows where dt >= '2026-01-01'").collect()[0][0])
finally:
    spark.stop()
