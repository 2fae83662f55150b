"""Both stages on a sharded store by tasks, without a cluster: an engine that runs them one after the other in this process, each with the rows of its shard."""

import json
import sys
from pathlib import Path

import pyarrow
import pyarrow.parquet

import lookback
from lookback import _native
from lookback._call import call, words_of
from lookback._tasks import answer, answers

what, store, root, day, out, *further = sys.argv[1:]
SOURCES = {"ingest": ["clicks", "add_to_carts", "orders"], "produce": ["impressions"]}[what]


def rows(source):
    files = sorted((Path(root) / source / f"dt={day}").rglob("*.parquet"))
    return pyarrow.concat_tables(pyarrow.parquet.read_table(file, partitioning=None) for file in files)


def engine(tasks):
    number = json.loads(tasks)["shards"]
    given = []
    for shard in range(number):
        own = []
        for source in SOURCES:
            table = rows(source)
            shards = _native.shards_of(table["customer_id"].to_pylist(), number)
            own.append((source, table.filter(pyarrow.array([one == shard for one in shards]))))
        given.append(answer(words, tasks, shard, (own, []), None))
    return answers(given)


settings = {"store": store, "dt": day, "cache": "cache", "request_timeout": 20}
if what == "produce":
    settings.update(out=out, table="delta" if "delta" in further else None)
words = words_of(f"shards {what}", **settings)
try:
    print(json.dumps(call(f"shards {what}", engine=engine, **settings)))
except lookback.Error as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)
