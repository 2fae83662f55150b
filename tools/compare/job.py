"""The job that every program is given: the rows of one day from the raw action batches of the days before it.

Read by the programs that are compared, each of them a process of its own, so it imports nothing but the standard
library: what it costs is part of their time.
"""
import argparse
import os
import shutil
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

HISTORY = 1000  # actions in each row, padding included
ACTIONS = {  # folder: (action type, column of the item, column of the time)
    "clicks": (1, "item_id", "click_time"),
    "add_to_carts": (2, "config_id", "occurred_at"),
    "orders": (3, "config_id", "occurred_at"),
}
CODECS = ("zstd", "snappy")  # zstd is level 1 everywhere


class Job:
    """What the command line of a program asks for.

    `day` is that of the rows, `days` the number of batches before it, `cutoff` its beginning in microseconds since
    1970 UTC; `folder` is the partition to write, with `codec`, on `threads` threads.
    """

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("--input", required=True, type=Path, metavar="ROOT")
        parser.add_argument("--dt", required=True, type=date.fromisoformat, metavar="D")
        parser.add_argument("--days", required=True, type=int, metavar="H", help="batches before D to read")
        parser.add_argument("--out", required=True, type=Path)
        parser.add_argument("--codec", default="zstd", choices=CODECS)
        parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
        parser.add_argument("--histories", default="once", choices=("once", "rows"),
                            help="Spark only: made once for each customer, or for each impression row")
        args = parser.parse_args()
        self.root, self.day, self.days = args.input, args.dt, args.days
        self.codec, self.threads, self.histories = args.codec, args.threads, args.histories
        self.folder = args.out / f"dt={args.dt}"
        self.cutoff = int(datetime.combine(args.dt, time(), UTC).timestamp()) * 1_000_000

    def rounds(self, first, growth=2):
        """The batch days, newest first, cut into rounds: two of `first` days, then each `growth` times the one before.

        The newest batches fill most histories. A round can so leave out what is older than the last action of a
        full history, and be longer. No action is lost, however late it came: its own time decides, not its batch.
        """
        days = [self.day - timedelta(days=k) for k in range(1, self.days + 1)]
        size, at = first, 0
        while at < len(days):
            yield days[at:at + size]
            size, at = size * growth if at else size, at + size

    def action_files(self, kind, days):
        """The Parquet files of one kind of action in the batches `days`, as text."""
        return [path for day in days for path in parquet_files(self.root / kind / f"dt={day}")]

    def impression_files(self):
        return parquet_files(self.root / "impressions" / f"dt={self.day}")

    def fresh_folder(self):
        """Makes the partition's folder anew and returns it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self.folder


def parquet_files(folder):
    """All Parquet files at any depth below `folder`, in order of name; names that begin with _ or . are no data."""
    found = []
    for place, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if name[0] not in "_."]
        found += [os.path.join(place, name) for name in names if name.endswith(".parquet") and name[0] not in "_."]
    return sorted(found)
