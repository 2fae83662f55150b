"""Where measuring happens: a folder to work in, generated input, and stores that are put back before each turn."""
import os
import shutil
import tempfile
from datetime import date, timedelta
from pathlib import Path

import process

FIRST_DAY = date(2025, 1, 1)


class KeptStore:
    """A store below `work` over the input `root`, and a copy of it that every turn begins with."""

    def __init__(self, lookback, root, work):
        self.lookback, self.root, self.work = lookback, root, work
        self.store, self.kept = work / "store", work / "kept"
        work.mkdir(parents=True, exist_ok=True)
        for folder in (self.store, self.kept):
            shutil.rmtree(folder, ignore_errors=True)

    def run(self, *words):
        """Runs a command of lookback on the store and returns its Cost."""
        command = [self.lookback, *words, "--store", self.store, "--input", self.root]
        return process.run(command, self.work / f"{words[0]}.log")

    def keep(self):
        """Makes the store the copy that turns begin with."""
        self.store.rename(self.kept)

    def put_back(self):
        """Makes the store what was kept; nothing where nothing was."""
        shutil.rmtree(self.store, ignore_errors=True)
        if self.kept.exists():
            shutil.copytree(self.kept, self.store, copy_function=link_or_copy)


def link_or_copy(source, target):
    """Puts a file of a store in place. Table files are never changed once written, and a year of them takes longer to copy and to write back than
    what is timed; so they are linked."""
    (os.link if source.endswith(".sst") else shutil.copy2)(source, target)


def size(folder, pattern="*"):
    """The bytes of all files below a folder that have such names."""
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


def generate(generator, root, days, *options):
    """Makes `days` batches from FIRST_DAY on, and one more day behind them; returns that one, which has impressions."""
    command = [generator, "--out", root, "--from", FIRST_DAY, "--days", days + 1, *options]
    process.show(f"generating {days + 1} days")
    process.run(command, root.parent / "generate.log")
    return FIRST_DAY + timedelta(days=days)


def add_workplace(parser):
    """Adds the options that say where to work and with which programs."""
    release = os.path.join(os.environ.get("CARGO_TARGET_DIR", "target"), "release")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where to work, in a "
                        "folder of its own (default: the folder for temporary files)")
    parser.add_argument("--keep", action="store_true", help="leave what was made, and say where")
    parser.add_argument("--lookback", type=Path, default=Path(release, "lookback"), help="default %(default)s")
    parser.add_argument("--generator", type=Path, default=Path(release, "generate"), help="default %(default)s")
    parser.add_argument("--no-build", action="store_true", help="take the programs as they are (seen by the entry)")


def in_workplace(args, work):
    """Gives what `work` gives for a new folder, which is removed at the end unless it is to be kept. Call once: makes this process the parent of
    what its children leave behind."""
    process.adopt_orphans()
    if args.work:
        args.work.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="compare-", dir=args.work)).resolve()
    try:
        return work(folder)
    finally:
        if args.keep:
            process.show(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
