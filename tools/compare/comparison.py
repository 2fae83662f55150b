#!/usr/bin/env python3
"""Times lookback's daily step beside DuckDB, Polars and PySpark on the same input, after comparing their rows.

The step is the rows of day D from the raw batches of the H days before it. lookback has a store of the batches
D-H..D-2, built once (reported, not in the ratios); timed are `ingest` of D-1 and `produce` of D, two processes. The
others read the raw Parquet of all H batches, as they do every day; timed is their process. Every run is from start to
end, imports and JVM included, and starts after `sync`, with the input read before (the rounds take turns, so the
page cache is warm for all).

In a round before the timing every program writes its rows once, and each partition is compared with lookback's cell by
cell; any difference is named and ends the comparison with exit code 1. Then come the rounds: in each, every program
once, in turns. Before lookback's turn the store is put back from a kept copy. Printed are medians, in Markdown. CPU time is
user and system time of a program's processes, memory that of the largest of them.

Input that is not given with --data is made by the program `generate` with its defaults (data set M), for the greatest
H; a smaller H takes its last days. The peers expect input like that: Parquet, times as timestamps, no bad rows.

What lookback does alone (a year's bytes, backfills, large batches) `compare itself` measures.
"""
import argparse
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import process
import report
from workplace import KeptStore, add_workplace, generate, in_workplace, size

HERE = Path(__file__).resolve().parent
PROGRAMS = {
    "polars": ["polars_rows.py"],
    "duckdb": ["duckdb_rows.py"],
    "spark-once": ["spark_rows.py", "--histories", "once"],
    "spark-rows": ["spark_rows.py", "--histories", "rows"],
}


class Comparison:
    """One length of history: folders, commands and turns."""

    def __init__(self, args, root, day, days, work):
        self.args, self.root, self.day, self.days, self.work = args, root, day, days, work
        self.store = KeptStore(args.lookback, root, work)

    def partition(self, name):
        return self.work / name / f"dt={self.day}"

    def build_store(self):
        """Builds the kept copy and returns what it cost; with one batch only there is nothing to build."""
        first, last = self.day - timedelta(days=self.days), self.day - timedelta(days=2)
        if first > last:
            return None
        cost = self.store.run("backfill", "--from", first, "--to", last)
        self.store.keep()
        return cost

    def turn(self, name):
        """Runs one program once; returns its Cost, and for lookback that of its two commands too."""
        shutil.rmtree(self.work / name, ignore_errors=True)
        if name == "lookback":
            self.store.put_back()
        subprocess.run(["sync"], check=True)
        if name == "lookback":
            ingest = self.store.run("ingest", "--dt", self.day - timedelta(days=1))
            produce = self.store.run("produce", "--dt", self.day, "--out", self.work / name,
                                     "--compression", self.args.codec)
            return {"lookback": ingest.then(produce), "ingest": ingest, "produce": produce}
        script, *options = PROGRAMS[name]
        command = [sys.executable, "-W", "ignore", HERE / script, *options, "--input", self.root, "--dt", self.day, "--days",
                   self.days, "--out", self.work / name, "--codec", self.args.codec]
        return {name: process.run(command, self.work / f"{name}.log")}

    def differences(self, name):
        """Compares a program's partition with lookback's; prints the result and returns whether they differ."""
        result = subprocess.run([sys.executable, HERE / "cells.py", self.partition("lookback"), self.partition(name),
                                 "--name", name], capture_output=True, text=True)
        process.show((result.stdout + result.stderr).rstrip())
        return result.returncode != 0

    def run(self):
        """Compares, times and prints; returns whether all rows were equal."""
        programs = ["lookback", *self.args.programs]
        process.show(f"{self.days} days before {self.day}: building the store")
        built = self.build_store()
        differ = False
        for name in programs:
            process.show(f"{name}: writing its rows")
            self.turn(name)
            if name != "lookback":
                differ |= self.differences(name)
        if differ:
            process.show("rows differ: nothing is timed")
            return False
        costs = {}
        for number in range(self.args.rounds):
            for name in programs:
                for part, cost in self.turn(name).items():
                    costs.setdefault(part, []).append(cost)
                    process.show(f"round {number + 1}: {part}: {cost.wall:.2f} s, {cost.cpu:.2f} CPU s, "
                                 f"{cost.peak:.0f} MiB")
        print(f"\n## {self.days} days of history, rows of {self.day}, {self.args.codec}, "
              f"{self.args.rounds} rounds\n")
        print(report.heading(self.args.lookback, self.args.programs))
        print(f"- output, MiB: {', '.join(f'{name} {size(self.partition(name)) / 2**20:.0f}' for name in programs)}")
        if built:
            print(f"- the store of the first {self.days - 1} batches: {size(self.store.kept) / 2**20:.0f} MiB; `lookback backfill` took "
                  f"{built.wall:.1f} s, {built.cpu:.1f} CPU s, {built.peak:.0f} MiB, once")
        print("- every cell equal to lookback's before the timing\n")
        print(report.table(costs), flush=True)
        return True


def parse():
    parser = argparse.ArgumentParser(prog="compare", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, action="append", metavar="H", help="batches; may be repeated; default 30")
    parser.add_argument("--rounds", type=int, default=3, help="of timing, each with every program (default %(default)s)")
    parser.add_argument("--codec", default="zstd", choices=("zstd", "snappy"), help="zstd is level 1 (default)")
    parser.add_argument("--programs", default="polars,duckdb", type=lambda text: text.split(","),
                        help=f"of {','.join(PROGRAMS)} (default %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="an input root to use instead of making one")
    parser.add_argument("--last-day", type=date.fromisoformat, metavar="D", help="with --data: the day of the rows")
    add_workplace(parser)
    args = parser.parse_args()
    args.days = args.days or [30]
    if unknown := [name for name in args.programs if name not in PROGRAMS]:
        parser.error(f"no such program: {', '.join(unknown)}")
    if args.rounds < 1 or min(args.days) < 1:
        parser.error("--rounds and --days are at least 1")
    if (args.data is None) != (args.last_day is None):
        parser.error("--data and --last-day go together")
    return args


def main():
    args = parse()

    def compare(work):
        root, day = args.data, args.last_day
        if root is None:
            root = work / "input"
            day = generate(args.generator, root, max(args.days))
        return all([Comparison(args, root, day, days, work / f"{days}-days").run() for days in args.days])

    return 0 if in_workplace(args, compare) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (process.Failed, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"compare: {error}")
