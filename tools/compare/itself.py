#!/usr/bin/env python3
"""Measures lookback beside itself: what does not follow from a comparison with other programs. All on data set M, whole processes from start to end.

year      each batch of DAYS days ingested by a process of its own: bytes written, against those of the store at the end
lengths   `produce` of one day with DAYS days behind it and with 30, in turns: the same impressions
backfill  `backfill` of 14 days with rows, and `ingest` and `produce` of the same days one by one, in turns, after 16 batches
output    bytes of a day's rows, against those that pyarrow writes for the same rows in the same order
large     `ingest` of 2.5 million actions of 600,000 customers into 30 such days, and `produce` of a million rows: rate, peak memory

Before each turn the store is put back from a kept copy and `sync` is run. A ratio is the median of the rounds' ratios, with the lowest and the highest
behind it.
"""
import argparse
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from statistics import median

import process
import report
from workplace import FIRST_DAY, KeptStore, add_workplace, generate, in_workplace, size

HERE = Path(__file__).resolve().parent
PARTS = ("year", "lengths", "backfill", "output", "large")
SHORT = 30  # days of history beside the whole
HELD, FILLED = 16, 14  # batches before a backfill, and days of it
IMPRESSIONS_LARGE = 100_000
LARGE = ("--customers", "600000", "--actions-per-day", "2500000", "--impressions-per-day", IMPRESSIONS_LARGE,
         "--impression-days", "1")


def days_from(first, count):
    return [first + timedelta(days=k) for k in range(count)]


def begin(store):
    """What comes before a turn: the store as it was kept, no rows, and nothing that waits to be written."""
    store.put_back()
    shutil.rmtree(store.work / "rows", ignore_errors=True)
    subprocess.run(["sync"], check=True)


class Measuring:
    """The data set, the day of the rows behind its batches, and what was found: a line for each figure."""

    def __init__(self, args, work):
        self.args, self.work, self.lines = args, work, []
        self.root = args.data or work / "input"
        self.day = FIRST_DAY + timedelta(days=args.days)
        if args.data is None and set(args.parts) - {"large"}:
            generate(args.generator, self.root, args.days, "--impression-days", FILLED + 1)

    def line(self, part, what, figure):
        process.show(f"{part}: {what}: {figure}")
        self.lines.append(f"| {part} | {what} | {figure} |")

    def store(self, name, root=None):
        return KeptStore(self.args.lookback, root or self.root, self.work / name)

    def filled(self, name, days):
        """A store of the batches of the last `days` days before that of the rows, kept and put back."""
        store = self.store(name)
        store.run("backfill", "--from", self.day - timedelta(days=days), "--to", self.day - timedelta(days=1))
        store.keep()
        store.put_back()
        return store

    def in_turns(self, turns):
        """The costs of each of `turns`, by name: all of them once in each round."""
        costs = {name: [] for name in turns}
        for number in range(self.args.rounds):
            for name, turn in turns.items():
                costs[name].append(turn())
                cost = costs[name][-1]
                process.show(f"round {number + 1}: {name}: {cost.wall:.2f} s, {cost.cpu:.2f} CPU s, {cost.peak:.0f} MiB")
        return costs

    def year(self):
        store, costs = self.store("year"), []
        for day in days_from(FIRST_DAY, self.args.days):
            costs.append(store.run("ingest", "--create", "--dt", day))
        held, written = size(store.store / "db", "*.sst"), sum(cost.written for cost in costs)
        cpu = [cost.cpu for cost in costs]
        self.line("year", f"store of {self.args.days} batches", f"{held / 1e9:.2f} GB")
        self.line("year", "bytes written, against the store", f"{written / held:.2f}")
        self.line("year", "`ingest`, CPU s", f"median {median(cpu):.2f}, mean {sum(cpu) / len(cpu):.2f}, "
                                             f"longest {max(cost.wall for cost in costs):.1f} s")

    def lengths(self):
        stores = {days: self.filled(f"behind-{days}", days) for days in (SHORT, self.args.days)}

        def turn(store):
            def produce():
                begin(store)
                return store.run("produce", "--dt", self.day, "--out", store.work / "rows")
            return produce

        costs = self.in_turns({f"produce after {days} days": turn(store) for days, store in stores.items()})
        self.beside("lengths", *reversed(costs.items()))

    def backfill(self):
        first = self.day - timedelta(days=FILLED)
        store = self.store("backfill")
        store.run("backfill", "--from", first - timedelta(days=HELD), "--to", first - timedelta(days=1))
        store.keep()

        def together():
            begin(store)
            return store.run("backfill", "--from", first, "--to", self.day - timedelta(days=1), "--out", store.work / "rows")

        def singly():
            begin(store)
            cost = process.Cost(0, 0, 0)
            for day in days_from(first, FILLED):
                cost = cost.then(store.run("ingest", "--dt", day))
                cost = cost.then(store.run("produce", "--dt", day, "--out", store.work / "rows"))
            return cost

        costs = self.in_turns({f"backfill of {FILLED} days": together, f"{FILLED} times ingest and produce": singly})
        self.beside("backfill", *costs.items())

    def output(self):
        store, rows = self.filled("output", SHORT), self.work / "output" / "rows"
        store.run("produce", "--dt", self.day, "--out", rows)
        anew = self.work / "output" / "anew"
        process.run([sys.executable, HERE / "rewrite.py", rows / f"dt={self.day}", anew], self.work / "rewrite.log")
        own, other = size(rows, "*.parquet"), size(anew, "*.parquet")
        self.line("output", f"bytes {own:,}, by pyarrow {other:,}", f"{own / other:.2f}")

    def large(self):
        root = self.work / "large-input"
        day = generate(self.args.generator, root, SHORT + 1, *LARGE)
        store, last = self.store("large", root), day - timedelta(days=1)
        store.run("backfill", "--from", FIRST_DAY, "--to", last - timedelta(days=1))
        store.keep()

        def ingest():
            begin(store)
            return store.run("ingest", "--dt", last)

        def produce():
            subprocess.run(["sync"], check=True)
            return store.run("produce", "--dt", day, "--out", store.work / "rows")

        costs = self.in_turns({"ingest": ingest, "produce": produce})
        for name, count, of in (("ingest", 2_500_000, "actions"), ("produce", 10 * IMPRESSIONS_LARGE, "rows")):
            wall = median(cost.wall for cost in costs[name])
            self.line("large", f"`{name}` of {count:,} {of}", f"{wall:.2f} s, {count / wall / 1e6:.1f} million/s, "
                      f"{median(cost.cpu for cost in costs[name]):.2f} CPU s, {max(cost.peak for cost in costs[name]):.0f} MiB")

    def beside(self, part, one, other):
        """A line of two that took turns: medians, and the ratios of the first to the second."""
        (one_name, ones), (other_name, others) = one, other
        for field, unit in (("wall", "s"), ("cpu", "CPU s")):
            pairs = [(getattr(a, field), getattr(b, field)) for a, b in zip(ones, others)]
            ratios = [a / b for a, b in pairs]
            self.line(part, f"{one_name} {median(a for a, _ in pairs):.2f} {unit}, {other_name} "
                      f"{median(b for _, b in pairs):.2f}", f"{median(ratios):.3f} ({min(ratios):.3f}..{max(ratios):.3f})")


def parse():
    parser = argparse.ArgumentParser(prog="compare itself", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS), type=lambda text: text.split(","),
                        help="what to measure (default %(default)s)")
    parser.add_argument("--days", type=int, default=365, metavar="DAYS", help="days of the long history (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of what takes turns (default %(default)s)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="an input root to use, made by `generate` with --from "
                        f"{FIRST_DAY}, a day more than DAYS and --impression-days {FILLED + 1}")
    add_workplace(parser)
    args = parser.parse_args()
    if unknown := [part for part in args.parts if part not in PARTS]:
        parser.error(f"no such part: {', '.join(unknown)}")
    if args.rounds < 1 or args.days < HELD + FILLED:
        parser.error(f"--rounds is at least 1, and --days at least {HELD + FILLED}")
    return args


def main():
    args = parse()

    def measure(work):
        measuring = Measuring(args, work)
        for part in args.parts:
            process.show(part)
            getattr(measuring, part)()
        print(report.heading(args.lookback, []))
        print("\n| part | what | figure |\n|---|---|---:|")
        print("\n".join(measuring.lines), flush=True)

    in_workplace(args, measure)


if __name__ == "__main__":
    try:
        main()
    except (process.Failed, OSError, subprocess.SubprocessError) as error:
        sys.exit(f"compare: {error}")
