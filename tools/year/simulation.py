"""A year of a shop: a batch a day into a sharded store and into one ordinary store, with the commands that an operator runs, and what they cost."""
import json
import math
import shutil
import subprocess
import sys
from datetime import date, timedelta

from place import Place

FIRST_DAY = date(2025, 1, 1)
LIST_PAGE = 1_000  # names in one answer to a list, as S3 has it


class Failed(Exception):
    """A command has failed, or what it gave is not what it must be."""


def show(text):
    """Progress goes to stderr; the figures alone to stdout."""
    print(text, file=sys.stderr, flush=True)


class Year:
    """All days, one after the other, in a folder to work in."""

    def __init__(self, typed, work):
        self.typed, self.work = typed, work
        self.place = Place(work / "place")
        self.days = [FIRST_DAY + timedelta(days=number) for number in range(typed.days)]

    def lookback(self, words):
        """Runs a command and gives its summary."""
        command = [str(self.typed.lookback), *words.split(), "--json"]
        ran = subprocess.run(command, cwd=self.work, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            raise Failed(f"lookback {words}\nended with exit code {ran.returncode}: {ran.stderr[-2000:]}")
        return json.loads(ran.stdout)

    def make_input(self):
        typed = self.typed
        words = [typed.generator, "--out", self.work / "input", "--from", FIRST_DAY, "--days", typed.days, "--customers", typed.customers, "--items",
                 typed.items, "--actions-per-day", typed.actions_per_day, "--impression-days", typed.days, "--impressions-per-day",
                 typed.impressions_per_day]
        subprocess.run([str(word) for word in words], check=True, capture_output=True)

    def pass_by(self):
        """Ingests, produces and collects day by day, and gives the figures of each."""
        show(f"generating {self.typed.days} days")
        self.make_input()
        self.lookback(f"shards init --store place --shards {self.typed.shards}")
        self.lookback("init --store one")
        figures = []
        for number, day in enumerate(self.days, 1):
            figures.append(self.day(number, day))
            if number % 30 == 0:
                show(f"day {number}: {figures[-1]['place_bytes']:,} bytes in {figures[-1]['place_files']} files")
        return figures

    def day(self, number, day):
        """A day as an operator has it: rows of the morning from what has come until yesterday, then the day's batch, then what is old goes."""
        shards, cached = self.typed.shards, "--store place --cache cache"
        self.place.age_a_day()
        produced = {"fetched_files": 0, "fetched_bytes": 0}
        if number > 1:
            produced = self.lookback(f"shards produce {cached} --input input --dt {day} --out rows")
            shutil.rmtree(self.work / "rows")
        ingested = self.lookback(f"shards ingest {cached} --input input --dt {day}")
        self.lookback(f"ingest --store one --input input --dt {day}")
        before = self.place.figures()
        removed = self.lookback(f"shards gc --store place --keep {self.typed.keep}")
        after = self.place.figures()
        if ingested["version"] != number + 1:
            raise Failed(f"the batch of {day} is version {ingested['version']}, and not {number + 1}")
        # What they would be at a URL, by the rules that `tests/sharded/requests.rs` holds.
        requests = {
            "ingest_lists": 1,
            "ingest_gets": 1 + shards + ingested["fetched_files"],
            "ingest_puts": 1 + ingested["uploaded_files"],
            "produce_lists": 1,
            "produce_gets": 1 + shards + produced["fetched_files"],
            "gc_lists": 2 + math.ceil(before["objects"] / LIST_PAGE),
            "gc_gets": after["versions"],
            "gc_puts": removed["removed_versions"],
        }
        moved = {
            "written_files": ingested["uploaded_files"],
            "written_bytes": ingested["uploaded_bytes"],
            "fetched_files": produced["fetched_files"] + ingested["fetched_files"],
            "fetched_bytes": produced["fetched_bytes"] + ingested["fetched_bytes"],
            "removed_files": removed["removed_files"],
            "removed_bytes": removed["removed_bytes"],
        }
        return {"day": number, "actions": ingested["actions"]} | after | moved | requests

    def compare(self):
        """Fails unless the sharded store holds what the ordinary one holds: by all counts of a deep check of both, and by the rows of the last day of
        each month, cell by cell, from the exported store and from the shards. Gives the counts, with the days that were compared."""
        self.lookback("shards export --store place --to exported")
        exported, one = [self.lookback(f"verify --deep --store {store}") for store in ("exported", "one")]
        for name in one.keys() - {"store", "timing"}:
            if exported[name] != one[name]:
                raise Failed(f"the exported store has {exported[name]} {name}, and the ordinary one {one[name]}")
        last = self.days[-1]
        month_ends = [day for day in self.days if (day + timedelta(days=1)).day == 1 and day != last] + [last]
        rows = 0
        for day in month_ends:
            self.lookback(f"produce --store one --input input --dt {day} --out expected")
            self.lookback(f"produce --store exported --input input --dt {day} --out from-exported")
            self.lookback(f"shards produce --store place --cache cache --input input --dt {day} --out from-shards")
            for out in ("from-exported", "from-shards"):
                found = self.lookback(f"diff expected {out} --dt {day}")
                if not found["same"]:
                    raise Failed(f"the rows of {day} differ: lookback diff expected {out} --dt {day}, with --keep, shows where")
                rows += found["partitions"][0]["same"]
        return one | {"days": len(month_ends), "rows": rows}
