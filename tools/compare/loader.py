#!/usr/bin/env python3
"""Times the training reader beside what reads padded Parquet into tensors: see loader_ways.py for each way.

The day behind DAYS days of data set M; whole epochs after their first batch, in processes of their own, in turns; medians of the rounds, and ratios of
each round. Before the rounds every way's rows are compared, by a hash of every cell, with those that `produce` wrote. Then the same from the files of a
new batch to the end of the next day's epoch: ingest and reader, beside Polars producing the rows and pyarrow reading them. And jagged histories of up to
64,000 actions beside the newest 1,000 of each, from a store that keeps so many; with `batch_actions_max` too. Peaks are those of the reading process,
without its workers.
"""
import argparse
import json
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from statistics import median

import process
from workplace import FIRST_DAY, KeptStore, add_workplace, generate, in_workplace

HERE = Path(__file__).resolve().parent
READERS = {
    "pyarrow": ["pyarrow"],
    "polars": ["polars"],
    "datasets": ["datasets"],
    "ceiling": ["ceiling"],
    "lookback padded, shuffled": ["lookback"],
    "the same, second epoch": ["lookback", "--epoch", "1"],
    "the same, 2 workers": ["lookback", "--workers=2"],
    "the same, 2 workers, to their last batch": ["lookback", "--workers=2", "--stay"],
    "the same, 2 workers that stay, second epoch": ["lookback", "--workers=2", "--stay", "--epoch", "1"],
    "the same, 2 ranks": ["lookback", "--ranks=2"],
    "lookback dedup, carousel": ["lookback", "--layout", "dedup", "--order", "carousel"],
    "lookback jagged, carousel": ["lookback", "--layout", "jagged", "--order", "carousel"],
}
LONG = 64_000
JAGGED = ["lookback", "--layout", "jagged", "--order", "carousel"]
ULTRA_LONG = {
    "jagged, carousel, 1,000": [*JAGGED, "--max-history", 1000],
    f"the same, {LONG:,}": [*JAGGED, "--max-history", LONG],
    "the same, at most 250,000 actions a batch": [*JAGGED, "--max-history", LONG, "--batch-actions-max", 250_000],
}
END_TO_END = {"ingest and reader": ["lookback"], "Polars and pyarrow": ["pyarrow", "--out", "polars"]}


def turn(words):
    """Runs a way once, and returns what it printed."""
    subprocess.run(["sync"], check=True)
    said = subprocess.run([sys.executable, HERE / "loader_ways.py", *map(str, words)], stdout=subprocess.PIPE, check=True)
    return json.loads(said.stdout)


def in_turns(rounds, ways, measure):
    """Measures all ways once in each round, and returns the runs of each."""
    runs = {name: [] for name in ways}
    for number in range(rounds):
        for name, words in ways.items():
            runs[name].append(measure(words))
            run = runs[name][-1]
            process.show(f"round {number + 1}: {name}: {run['rows'] / run['wall']:,.0f} rows/s, {run['cpu']:.2f} CPU s")
    return runs


def table(runs, beside):
    """Medians of rows a second by wall and by CPU time, and of each round's ratios to the way `beside`."""
    lines = ["| way | rows/s | rows/CPU s | first batch s | peak MiB | by wall | by CPU |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, all_runs in runs.items():
        cells = [median(run["rows"] / run[field] for run in all_runs) for field in ("wall", "cpu")]
        first, peak = (median(run.get(field, 0) for run in all_runs) for field in ("first", "peak"))
        ratios = [median(one["rows"] / one[field] / (other["rows"] / other[field]) for one, other in zip(all_runs, runs[beside]))
                  for field in ("wall", "cpu")]
        lines.append(f"| {name} | {cells[0]:,.0f} | {cells[1]:,.0f} | {first:.2f} | {peak:,.0f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    return "\n".join(lines)


def measure(args, work):
    root, store = work / "input", None
    day = generate(args.generator, root, args.days)
    store = KeptStore(args.lookback, root, work)
    before = day - timedelta(days=2)
    store.run("backfill", "--from", FIRST_DAY, "--to", before)
    store.keep()
    store.put_back()
    store.run("ingest", "--dt", before + timedelta(days=1))
    store.run("produce", "--dt", day, "--out", work / "rows")
    common = ["--store", store.store, "--input", root, "--out", work / "rows", "--day", day]

    sums = {name: turn([*words, *common, "--check"]) for name, words in READERS.items() if "--epoch" not in words}
    expected = sums["pyarrow"]["all"], sums["pyarrow"]["sum"]
    for name, found in sums.items():
        if (found["all"], found["sum"]) != expected:
            raise SystemExit(f"{name} has other rows than produce: {found}, not {expected}")
    process.show(f"every way has the {expected[0]:,} rows of produce")
    print(table(in_turns(args.rounds, READERS, lambda words: turn([*words, *common])), "pyarrow"))

    def anew(words):
        store.put_back()
        shutil.rmtree(work / "polars", ignore_errors=True)
        words = [work / word if word == "polars" else word for word in words]
        return turn([*common, *words, "--end-to-end", "--days", args.days])

    # The way comes first; the last --out counts.
    ways = {name: words for name, words in END_TO_END.items()}
    print()
    print(table(in_turns(args.rounds, ways, anew), "Polars and pyarrow"))

    long = work / "long"
    process.run([args.lookback, "init", "--store", long, "--max-history", LONG], work / "long.log")
    process.run([args.lookback, "backfill", "--store", long, "--input", root, "--from", FIRST_DAY, "--to", day - timedelta(days=1)], work / "long.log")
    print()
    print(table(in_turns(args.rounds, ULTRA_LONG, lambda words: turn([*words, *common, "--store", long])), "jagged, carousel, 1,000"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--days", type=int, default=30, help="days of history (default %(default)s)")
    add_workplace(parser)
    args = parser.parse_args()
    in_workplace(args, lambda work: measure(args, work))


if __name__ == "__main__":
    main()
