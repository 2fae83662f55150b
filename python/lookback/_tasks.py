"""What an engine runs elsewhere of a command on a sharded store: a task for each shard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Optional

from lookback import _native, errors
from lookback._types import Given
from lookback._work import Reporter

# What no repetition of a task can mend, as the driver is told.
_FINAL = (errors.Usage, errors.Input, errors.Refused, errors.Corrupt, errors.Different)


def answer(words: Sequence[str], tasks: str, shard: int, rows: Given, scratch: Optional[str]) -> str:
    """Do the task of a shard, and return its answer for :func:`answers`.

    Args:
        words: those of the command that the tasks are of, but for memory, threads and cache, which are the task's.
        tasks: what the engine was given.
        shard: which of them, from 0.
        rows: the rows of the shard's customers, by source.
        scratch: the folder for scratch files.

    Raises:
        lookback.Error: the task has failed, and may succeed if it is run again.
    """
    task = {key: value for key, value in json.loads(tasks).items() if key != "shards"}
    named = json.dumps({**task, "shard": shard})
    try:
        return _native.call([*words, f"--task={named}"], rows, Reporter(), False, scratch)
    except _FINAL as error:
        failed = [type(error).__name__, str(error), error.what, error.remedy]
        return json.dumps({"failed": failed, "shard": shard})


def answers(given: Sequence[str]) -> list[str]:
    """Return the answers of all tasks. Fails as the task of the first shard did that failed for good."""
    failed = [one for one in map(json.loads, given) if "failed" in one]
    for one in sorted(failed, key=lambda one: int(one["shard"])):
        name, *arguments = one["failed"]
        raise getattr(errors, name)(*arguments)
    return list(given)
