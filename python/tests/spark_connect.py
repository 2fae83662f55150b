"""Run by test_spark.py in a process of its own: both stages by Spark Connect, in a folder."""

import os
import sys
from pathlib import Path

folder = Path(sys.argv[1])
os.environ["PYSPARK_PYTHON"] = sys.executable
os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)

from pyspark.sql import SparkSession
from test_spark import DAYS, Both, actions_of

import lookback.spark

session = SparkSession.builder.remote("local[2]").config("spark.sql.shuffle.partitions", "4").getOrCreate()
assert type(session).__module__ == "pyspark.sql.connect.session"
both = Both(session, folder, shards=4)
for seed, day in enumerate(DAYS[:2]):
    both.ingest(day, actions_of(seed, day))
made = both.same_rows(DAYS[2], 1)
assert lookback.spark.rows(session, folder / "rows", DAYS[2]).count() == made["rows"]
session.stop()
print(made["rows"])
