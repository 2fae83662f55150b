"""Both stages by Spark, on a sharded store and rows at a URL: the batches of the days before the last, and the rows of that."""

import os
import sys

os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
store, root, out, *days = sys.argv[1:]

from pyspark.sql import SparkSession

import lookback.spark

builder = SparkSession.builder.master("local[2]").config("spark.driver.host", "127.0.0.1").config("spark.sql.shuffle.partitions", "4")
spark = builder.config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC").getOrCreate()
sharded = lookback.spark.Store(store, shards=4)


def read(source, day):
    # Some of the files lie deeper, where lookback reads them too.
    return spark.read.option("recursiveFileLookup", "true").parquet(os.path.join(root, source, f"dt={day}"))


for day in days[:-1]:
    sharded.ingest(**{source: read(source, day) for source in ["clicks", "add_to_carts", "orders"]}, dt=day)
for publish in ["files", "delta"]:
    sharded.produce(read("impressions", days[-1]), dt=days[-1], out=f"{out}-{publish}", publish=publish)
spark.stop()
