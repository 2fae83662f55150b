#!/usr/bin/env python3
"""Times lookback on Spark beside two ways of Spark alone, in one session on the same input, and beside one process.

The session has two executors of one core (local-cluster), as an installed cluster has them: JVMs and Python workers of their own. Each turn makes the rows
of one day: lookback ingests the newest batch into a sharded store and produces; Spark alone reads all batches, and takes a window over a customer's actions
for each impression row: over those of all customers, as it is usually written (`usual`), or of those with impressions only, whom it has broadcast (`rows`);
or it sorts the actions of such customers once (`once`). One process of lookback ingests and produces from the generator's files. All are warm: the first
turn of each is not counted, and lookback's Python workers have just been used. Rows are compared before anything is timed.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from statistics import median

import process
from workplace import FIRST_DAY, add_workplace, generate, in_workplace, link_or_copy

HISTORY = 1_000
COLUMNS = {"customer_id": "customer_id", "item_id": "item_id", "time": "time", "type": "type"}
ROW = ("ranking_id", "customer_id", "impression_pos", "impression_item_id", "label", "actions", "action_types")
SOURCES = {"clicks": (1, "item_id", "click_time"), "add_to_carts": (2, "config_id", "occurred_at"), "orders": (3, "config_id", "occurred_at")}


def start(work):
    from pyspark.sql import SparkSession

    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable, LOOKBACK_TODAY="2026-01-01")
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(work / "scratch"),
        "spark.executor.memory": "4g",
        "spark.executor.memoryOverhead": "1g",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "16",
        "spark.executorEnv.LOOKBACK_TODAY": "2026-01-01",
        "spark.executorEnv.PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": str(1 << 20),
    }
    builder = SparkSession.builder.master("local-cluster[2,1,4096]").appName("lookback")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def write_actions(root, days, target):
    """Writes the generator's actions as one table with a type, a folder for each day."""
    import pyarrow
    import pyarrow.parquet

    for day in days:
        tables = []
        for source, (number, item, moment) in SOURCES.items():
            files = sorted((root / source / f"dt={day}").glob("*.parquet"))
            read = [pyarrow.parquet.read_table(file, columns=["customer_id", item, moment], partitioning=None) for file in files]
            table = pyarrow.concat_tables(read).rename_columns(["customer_id", "item_id", "time"])
            tables.append(table.append_column("type", pyarrow.array([number] * len(table), pyarrow.int32())))
        folder = target / f"dt={day}"
        folder.mkdir(parents=True)
        whole = pyarrow.concat_tables(tables)
        for part in range(4):
            begin, end = len(whole) * part // 4, len(whole) * (part + 1) // 4
            pyarrow.parquet.write_table(whole.slice(begin, end - begin), folder / f"part-{part}.parquet", compression="zstd")


def python_cpu():
    """The CPU seconds of all Python workers and their daemons so far, with those of ended workers."""
    ticks, seconds = os.sysconf("SC_CLK_TCK"), 0.0
    for folder in Path("/proc").iterdir():
        try:
            line = (folder / "cmdline").read_bytes()
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if b"pyspark.daemon" in line or b"pyspark/daemon" in line:
            seconds += sum(map(int, stat[11:15])) / ticks
    return seconds


def spark_alone(spark, actions, impressions, cutoff, way, out):
    """The rows of the contract, in no order, by one of three ways."""
    from pyspark.sql import Window
    from pyspark.sql import functions as f

    shown = f.transform("impressions", lambda e: f.struct(e.item_id.alias("item"), f.coalesce(e.is_order.cast("int"), f.lit(0)).alias("label")))
    impressions = impressions.select("customer_id", "ranking_id", shown.alias("list")).where("size(list) > 0")
    impressions = impressions.withColumn("n", f.monotonically_increasing_id())
    moment = f.unix_micros("time").alias("us")
    actions = actions.where(f.col("time") < f.lit(cutoff)).select("customer_id", f.struct(moment, "type", f.col("item_id").alias("item")).alias("action"))
    if way != "usual":
        actions = actions.join(f.broadcast(impressions.select("customer_id").distinct()), "customer_id")
    newest = f.slice(f.sort_array(f.collect_list("action"), asc=False), 1, HISTORY)
    if way == "once":
        histories = actions.groupBy("customer_id").agg(newest.alias("history"))
        rows = impressions.join(histories, "customer_id", "left")
    else:
        place = Window.partitionBy("n").orderBy(f.col("action").desc())
        joined = impressions.join(actions, "customer_id", "left")
        joined = joined.withColumn("place", f.row_number().over(place)).where(f.col("place") <= HISTORY)
        carried = [f.first(name).alias(name) for name in ("customer_id", "ranking_id", "list")]
        rows = joined.groupBy("n").agg(*carried, newest.alias("history"))

    def padded(name, zero):
        listed = f.coalesce(f.col("history")[name], f.array().cast(f"array<{zero}>"))
        return f.concat(listed, f.array_repeat(f.lit(0).cast(zero), f.lit(HISTORY) - f.size(listed)))

    rows = rows.select("customer_id", "ranking_id", "list", padded("item", "bigint").alias("actions"), padded("type", "int").alias("action_types"))
    rows = rows.select("*", f.posexplode("list").alias("impression_pos", "shown")).select(
        "ranking_id", "customer_id", "impression_pos", f.col("shown.item").alias("impression_item_id"), f.col("shown.label").alias("label"),
        "actions", "action_types")
    rows.write.mode("overwrite").option("compression", "zstd").parquet(str(out))


class Cluster:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.root, self.table = work / "input", work / "table"
        self.days = [FIRST_DAY + timedelta(days=number) for number in range(args.days)]
        self.day = FIRST_DAY + timedelta(days=args.days)

    def make(self):
        import lookback
        import lookback.shards
        import lookback.spark

        args = self.args
        generate(args.generator, self.root, args.days, "--customers", args.customers, "--actions-per-day", args.actions, "--impressions-per-day",
                 args.impressions, "--impression-days", 1)
        write_actions(self.root, self.days, self.table)
        self.spark = start(self.work)
        self.actions = self.spark.read.parquet(str(self.table))
        self.shown = self.spark.read.parquet(str(self.root / "impressions" / f"dt={self.day}"))
        self.sharded = lookback.spark.Store(self.work / "sharded", shards=args.shards)
        lookback.init(self.work / "store")
        for day in self.days:
            if day == self.days[-1]:
                shutil.copytree(self.work / "sharded", self.work / "kept-sharded", copy_function=os.link)
                shutil.copytree(self.work / "store", self.work / "kept-store", copy_function=link_or_copy)
            self.sharded.ingest(self.of(day), dt=day, columns=COLUMNS)
            lookback.ingest(self.work / "store", input=self.root, dt=day)

    def of(self, day):
        return self.actions.where(self.actions["dt"] == day.isoformat()).drop("dt")

    def put_back(self):
        for name, copy in {"sharded": os.link, "store": link_or_copy}.items():
            shutil.rmtree(self.work / name)
            shutil.copytree(self.work / f"kept-{name}", self.work / name, copy_function=copy)
        subprocess.run(["sync"], check=True)

    def on_spark(self):
        self.put_back()
        cpu, begin = python_cpu(), time.perf_counter()
        ingested = self.sharded.ingest(self.of(self.days[-1]), dt=self.days[-1], columns=COLUMNS)
        between = time.perf_counter()
        self.sharded.produce(self.shown, dt=self.day, out=self.work / "rows")
        end = time.perf_counter()
        if self.args.verbose:
            print(json.dumps({"ingest": between - begin, "produce": end - between, "fetched": ingested["fetched_files"]}), file=sys.stderr)
        return {"wall": end - begin, "python": python_cpu() - cpu}

    def one_process(self):
        self.put_back()
        found = {"wall": 0.0, "cpu": 0.0}
        for words in [("ingest", "--dt", self.days[-1]), ("produce", "--dt", self.day, "--out", self.work / "other")]:
            line = [str(word) for word in (self.args.lookback, *words, "--store", self.work / "store", "--input", self.root)]
            before, begin = os.times(), time.perf_counter()
            subprocess.run(line, check=True, capture_output=True)
            after = os.times()
            found["wall"] += time.perf_counter() - begin
            found["cpu"] += after.children_user + after.children_system - before.children_user - before.children_system
        return found

    def alone(self, way):
        begin = time.perf_counter()
        spark_alone(self.spark, self.actions.drop("dt"), self.shown, f"{self.day} 00:00:00", way, self.work / "alone")
        return {"wall": time.perf_counter() - begin}

    def measure(self):
        self.make()
        # Spark ends Python workers that nothing has asked for a minute, so behind Spark alone they begin anew.
        ways = {"lookback on Spark, new workers": self.on_spark} if self.args.ways else {}
        ways.update({"lookback on Spark": self.on_spark, "one process": self.one_process})
        ways.update({f"Spark alone, {way}": lambda way=way: self.alone(way) for way in self.args.ways})
        found = {name: [] for name in ways}
        for turn in range(self.args.rounds + 1):
            for name, run in ways.items():
                one = run()
                process.show(f"{name}: " + ", ".join(f"{what} {value:.2f} s" for what, value in one.items()))
                if turn > 0:
                    found[name].append(one)
                elif name.startswith("Spark alone"):
                    self.compare(name)
            if turn == 0:
                out = [str(self.args.lookback), "diff", str(self.work / "rows"), str(self.work / "other"), "--dt", str(self.day)]
                process.show(subprocess.run(out, check=True, capture_output=True, text=True).stdout.strip())
        return found

    def compare(self, name):
        wanted, got = (self.in_any_order(folder) for folder in (self.work / "rows" / f"dt={self.day}", self.work / "alone"))
        if got != wanted:
            raise SystemExit(f"{name} makes other rows than lookback: {got[0]:,} and {wanted[0]:,} of them")
        process.show(f"{name}: the same {wanted[0]:,} rows")

    def in_any_order(self, folder):
        """How many rows a folder has, and a sum over hashes of whole rows: the same for the same rows in any order."""
        from pyspark.sql import functions as f

        rows = self.spark.read.parquet(str(folder))
        return tuple(rows.agg(f.count("*"), f.sum(f.xxhash64(*ROW).cast("decimal(38,0)"))).first())


def report(args, found):
    def of(name, what):
        return [one[what] for one in found[name]]

    print(f"{args.actions:,} actions and {args.impressions:,} impressions a day, {args.days} days, {args.shards} shards, medians of {args.rounds} turns\n")
    print("| | wall | CPU |\n|---|---|---|")
    mine = of("lookback on Spark", "wall")
    for name in (name for name in found if name.startswith("lookback on Spark")):
        print(f"| {name} | {median(of(name, 'wall')):.2f} s | Python {median(of(name, 'python')):.2f} s |")
    print(f"| lookback in one process | {median(of('one process', 'wall')):.2f} s | {median(of('one process', 'cpu')):.2f} s |")
    for name in found:
        if name.startswith("Spark alone"):
            print(f"| {name} | {median(of(name, 'wall')):.2f} s | |")
    python = [one / other for one, other in zip(of("lookback on Spark", "python"), of("one process", "cpu"))]
    print(f"\nCPU of Python over that of one process: {median(python):.2f}")
    for name in found:
        if name.startswith("Spark alone"):
            print(f"{name} over lookback on Spark: {median(one / other for one, other in zip(of(name, 'wall'), mine)):.1f} times")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_workplace(parser)
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--shards", type=int, default=8)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--actions", type=int, default=2_000_000)
    parser.add_argument("--impressions", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", nargs="*", choices=["once", "rows", "usual"], default=["once", "rows", "usual"], help="of Spark alone")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()

    def work(folder):
        return Cluster(args, folder).measure()

    report(args, in_workplace(args, work))
    return 0


if __name__ == "__main__":
    sys.exit(main())
