#!/usr/bin/env python3
"""The job in PySpark, in one of two ways, on one machine with a core for each thread.

`--histories once`: each customer's actions are collected and sorted once, then meet the impressions.
`--histories rows`: the usual way, a window over the customer's actions for each impression row.

Both number the customers of the impressions in order of their id and cut them into ranges. Actions are shuffled by
range (only those of such customers, by a broadcast join), and nothing after that is shuffled again: the impressions
are broadcast, and rows are sorted within a range, spread, and written to a file for each range. Sorting by Spark's
own global sort would make the histories twice, since it samples its input first.
"""
import shutil
import sys

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as f

from job import ACTIONS, HISTORY, Job

JOB = Job(__doc__.splitlines()[0])
RANGES_PER_THREAD = 16  # a range's rows are sorted at once; and ranges fall to tasks by hash, so there are many
HEAP = "12g"


def start():
    builder = SparkSession.builder.master(f"local[{JOB.threads}]").appName("rows")
    settings = {
        "spark.driver.memory": HEAP,
        "spark.driver.host": "localhost",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(JOB.folder / "_scratch"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(JOB.threads * 8),
        "spark.sql.adaptive.enabled": "false",  # the number of ranges is chosen
        # Lists are collected in a hash table; from 128 customers on the default is to sort all their rows instead.
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": str(1 << 20),
        "spark.sql.parquet.compression.codec": JOB.codec,
        "spark.hadoop.parquet.compression.codec.zstd.level": "1",
        "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def read_impressions(spark) -> DataFrame:
    """Rows n, range, customer_id, ranking_id, list; n is their place in the order of the contract."""
    shown = f.transform("impressions", lambda e: f.struct(
        e.item_id.alias("item"), f.coalesce(e.is_order, f.lit(False)).cast("int").alias("label")))
    ordered = Window.orderBy("customer_id", f.col("ranking_id").asc_nulls_first(), "list")
    impressions = (
        spark.read.parquet(*JOB.impression_files())
        .select("customer_id", "ranking_id", shown.alias("list")).where("size(list) > 0")
        .withColumn("n", f.row_number().over(ordered))
        .withColumn("number", f.dense_rank().over(Window.orderBy("customer_id")) - 1)
        .cache()
    )
    count = impressions.agg(f.max("number")).first()[0] + 1
    ranges = JOB.threads * RANGES_PER_THREAD
    return impressions.withColumn("range", f.floor(f.col("number") * ranges / count).cast("int")).drop("number")


def read_actions(spark, customers) -> DataFrame:
    """Rows range, customer_id, action of the impressions' customers; action is (us, type, item), null in one row for
    each customer, so that those without any keep their rows."""
    parts = [customers.withColumn("action", f.lit(None).cast("struct<us: bigint, type: int, item: bigint>"))]
    for kind, (action_type, item, moment) in ACTIONS.items():
        files = [file for days in JOB.rounds(JOB.days) for file in JOB.action_files(kind, days)]
        if files:
            parts.append(
                spark.read.parquet(*files)
                .select("customer_id", f.unix_micros(moment).alias("us"), f.col(item).alias("item"))
                .where(f.col("us") < JOB.cutoff)
                .join(f.broadcast(customers), "customer_id")
                .select("customer_id", "range", f.struct("us", f.lit(action_type).alias("type"), "item").alias("action"))
            )
    actions = parts[0]
    for part in parts[1:]:
        actions = actions.unionByName(part)
    return actions.repartition("range")


def histories_once(impressions, actions) -> DataFrame:
    newest = f.slice(f.sort_array(f.collect_list("action"), asc=False), 1, HISTORY)
    return (
        actions.groupBy("range", "customer_id").agg(newest.alias("history"))
        .join(f.broadcast(impressions.drop("range")), "customer_id")
    )


def histories_rows(impressions, actions) -> DataFrame:
    newest = Window.partitionBy("range", "n").orderBy(f.col("action").desc_nulls_last())
    carried = ("customer_id", "ranking_id", "list")
    return (
        actions.join(f.broadcast(impressions.drop("range")), "customer_id")
        .withColumn("place", f.row_number().over(newest)).where(f.col("place") <= HISTORY)
        .groupBy("range", "n")
        .agg(*(f.first(name).alias(name) for name in carried),
             f.sort_array(f.collect_list("action"), asc=False).alias("history"))
    )


def spread(rows) -> DataFrame:
    """The rows of the contract, in order within each range."""
    def padded(name, zero):
        return f.concat(f"history.{name}", f.array_repeat(zero, f.lit(HISTORY) - f.size("history")))

    return (
        rows.sortWithinPartitions("range", "n")
        .select("range", "customer_id", "ranking_id", "list", padded("item", f.lit(0).cast("bigint")).alias("actions"),
                padded("type", f.lit(0)).alias("action_types"))
        .select("*", f.posexplode("list").alias("impression_pos", "shown"))
        .select("range", "ranking_id", "customer_id", "impression_pos",
                f.col("shown.item").alias("impression_item_id"), f.col("shown.label").alias("label"),
                "actions", "action_types")
    )


def main():
    folder = JOB.fresh_folder()
    spark = start()
    try:
        impressions = read_impressions(spark)
        actions = read_actions(spark, impressions.select("customer_id", "range").distinct())
        make = {"once": histories_once, "rows": histories_rows}[JOB.histories]
        written = folder / "_ranges"
        spread(make(impressions, actions)).write.partitionBy("range").parquet(str(written))
    finally:
        spark.stop()
    for place in written.iterdir():
        if place.name.startswith("range="):
            for number, file in enumerate(sorted(place.glob("*.parquet"))):
                file.rename(folder / f"part-{int(place.name[6:]):05}-{number}.parquet")
    for name in ("_ranges", "_scratch"):
        shutil.rmtree(folder / name, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
