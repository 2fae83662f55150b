"""Where the rows of a day come from: a store and impressions, or a produced partition."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any, Optional

from lookback import _native
from lookback._call import day as day_text
from lookback._checks import whole
from lookback._iteration import State
from lookback._types import DayLike, Limits, PathLike, Report
from lookback.store import Store


class StoreOrigin:
    """A store, and the impressions of an input."""

    def __init__(
        self,
        store: Store,
        input: PathLike,
        *,
        lookback_days: Optional[int],
        known_as_of: Optional[DayLike],
        config: Optional[PathLike],
        allow_gaps: bool,
        allow_pruned: bool,
        quarantine: Optional[PathLike],
    ) -> None:
        self.place = store.path
        self.limits = store.limits
        known = known_as_of if known_as_of is None or known_as_of == "day_before" else day_text(known_as_of)
        # What determines the rows.
        self.settings: State = {
            "lookback_days": None if lookback_days is None else whole("lookback_days", lookback_days),
            "known_as_of": known,
        }
        self._read: State = {
            "input": os.fspath(input),
            "config": None if config is None else os.fspath(config),
            "allow_gaps": allow_gaps,
            "allow_pruned": allow_pruned,
            "quarantine": None if quarantine is None else os.fspath(quarantine),
        }

    def prepare(self, asked: Any, limits: Limits, stop: _native.Stop, report: Report) -> _native.Day:
        """Read the rows of a day from the store, once."""
        if asked["known_as_of"] == "day_before":
            day = date(*map(int, asked["dt"].split("-"))) - timedelta(days=1)
            asked = {**asked, "known_as_of": day_text(day)}
        wanted: Any = {**self._read, **asked}
        return _native.prepare(self.place, wanted, limits, stop, report)


class PartitionOrigin:
    """An output folder with produced partitions."""

    def __init__(self, out: PathLike, limits: Limits) -> None:
        self.place = os.fspath(out)
        self.limits = limits
        # What has gone into the rows stands in the partition.
        self.settings: State = {"lookback_days": None, "known_as_of": None}

    def prepare(self, asked: Any, limits: Limits, stop: _native.Stop, report: Report) -> _native.Day:
        """Read the rows of a day from its partition, once."""
        return _native.from_partition(self.place, asked, limits, stop, report)
