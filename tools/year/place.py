"""The place of a sharded store, looked at from outside: what lies there, and what its versions name."""
import json
import os
from collections import Counter

DAY_NS = 86_400 * 10**9


class Place:
    """The folder of a sharded store."""

    def __init__(self, folder):
        self.folder = folder

    def paths(self):
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def age_a_day(self):
        """Lets all that is there look as if it had been written a day earlier: `gc` judges by these times alone, and compares them with that of the
        newest version."""
        for path in self.paths():
            modified = path.stat().st_mtime_ns - DAY_NS
            os.utime(path, ns=(modified, modified))

    def figures(self):
        """Files and bytes of all that is there, and of the newest version what it names and how many table files a shard has at most."""
        paths = self.paths()
        documents = sorted(path for path in paths if path.parent.name == "versions")
        live = [path for path in documents if path.stat().st_size]
        files = json.loads(live[-1].read_text())["files"]
        tables = Counter(file["name"].split("/")[0] for file in files if file["name"].endswith(".sst"))
        # A name is HASH-BYTES-RUN; one object may hold several small files.
        objects = {file["object"] for file in files}
        return {
            "objects": sum(path.parent.name == "files" for path in paths),
            "versions": len(live),
            "removed_numbers": len(documents) - len(live),
            "place_files": len(paths),
            "place_bytes": sum(path.stat().st_size for path in paths),
            "version_files": len(objects) + 1,
            "version_bytes": sum(int(name.split("-")[1]) for name in objects) + live[-1].stat().st_size,
            "document_bytes": live[-1].stat().st_size,
            "tables_of_a_shard": max(tables.values(), default=0),
        }
