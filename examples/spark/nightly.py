"""The nightly job on a Spark cluster: the batch of the day before into a sharded store, then the rows of the day.

    spark-submit examples/spark/nightly.py --store s3://shop/histories --shards 64 \\
        --actions shop.actions --impressions shop.impressions --out s3://shop/rows --dt 2026-01-02

Both tables have a column `dt`: the day on which a row arrived. Change the names of the columns below to those of your
tables. The package `lookback` has to be on the driver and on all executors. The job can be run again at any time: a batch
that has come is replaced by itself, and the rows of a day by the same rows. What it refuses ends it with one sentence.
"""

import argparse
from datetime import date, timedelta

from pyspark.sql import DataFrame, SparkSession

import lookback.spark

ACTIONS = {"customer_id": "customer_id", "item_id": "item_id", "time": "time", "type": "type"}
IMPRESSIONS = {"customer_id": "customer_id", "ranking_id": "ranking_id", "impressions": "impressions"}


def read(spark: SparkSession, name: str, day: date) -> DataFrame:
    """The rows of a day, of a table or of a folder of Parquet files."""
    frame = spark.read.parquet(name) if "/" in name else spark.read.table(name)
    return frame.where(frame["dt"] == day.isoformat()).drop("dt")


def main() -> None:
    parser = argparse.ArgumentParser(description="Ingest the actions of the day before and produce the rows of the day.")
    parser.add_argument("--store", required=True, help="URL or shared folder of the sharded store")
    parser.add_argument("--shards", type=int, required=True, help="how many shards a store is made with, if there is none")
    parser.add_argument("--actions", required=True, help="table, or folder of Parquet files")
    parser.add_argument("--impressions", required=True, help="table, or folder of Parquet files")
    parser.add_argument("--out", required=True, help="URL or shared folder of the rows")
    parser.add_argument("--dt", type=date.fromisoformat, required=True, help="the day of the rows")
    parser.add_argument("--publish", choices=["files", "delta"], default="files")
    typed = parser.parse_args()

    spark = SparkSession.builder.appName(f"lookback {typed.dt}").getOrCreate()
    store = lookback.spark.Store(typed.store, shards=typed.shards)
    before = typed.dt - timedelta(days=1)
    ingested = store.ingest(read(spark, typed.actions, before), dt=before, columns=ACTIONS)
    print(f"version {ingested['version']}: {ingested['actions']:,} actions of {before}")
    impressions = read(spark, typed.impressions, typed.dt)
    produced = store.produce(impressions, dt=typed.dt, out=typed.out, columns=IMPRESSIONS, publish=typed.publish)
    print(f"{produced['rows']:,} rows of {typed.dt}")
    store.gc()


if __name__ == "__main__":
    main()
