"""Point-in-time training data for recommenders: for every item shown to a customer, that customer's most recent actions
from strictly before that day.

- A function for each command of ``lookback``: :func:`ingest`, :func:`produce`, :func:`backfill`, :func:`verify`, …, each
  of which returns the command's summary as a dict.
- ``lookback.shards`` has the commands on sharded stores.
- :class:`Store` gives histories as Arrow, and training rows as numpy and Arrow.
- ``lookback.torch.TrainingRows`` gives training rows as tensors, straight to the trainer.
- What fails raises :class:`Error`, with a subclass for each kind.

Notes about unusual things go to the logger ``lookback``. Work runs without the interpreter's lock, and can be
interrupted.

Example:
    >>> import lookback
    >>> lookback.ingest("store", input="input", dt="2026-01-01", create=True)["customers"]
    1
    >>> lookback.produce("store", input="input", dt="2026-01-02", out="out")["rows"]
    2
"""

from lookback import shards
from lookback._fill import backfill, forget, ingest, init, prune, remove
from lookback._look import config_check, explain, get, report, show, status, vocabulary
from lookback._produce import audit, diff, manifest, produce, stale
from lookback._upkeep import backup, migrate, repair, restore, verify
from lookback._work import ProgressEvent
from lookback.errors import (
    Busy,
    Cancelled,
    Corrupt,
    Different,
    Error,
    Input,
    Internal,
    Io,
    Refused,
    Usage,
)
from lookback.store import Store

__all__ = [
    "Busy",
    "Cancelled",
    "Corrupt",
    "Different",
    "Error",
    "Input",
    "Internal",
    "Io",
    "ProgressEvent",
    "Refused",
    "Store",
    "Usage",
    "audit",
    "backfill",
    "backup",
    "config_check",
    "diff",
    "explain",
    "forget",
    "get",
    "ingest",
    "init",
    "manifest",
    "migrate",
    "produce",
    "prune",
    "remove",
    "repair",
    "report",
    "restore",
    "shards",
    "show",
    "stale",
    "status",
    "verify",
    "vocabulary",
]
