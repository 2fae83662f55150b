"""Where the rows of a day come from: a store and impressions, or a produced partition."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, Optional

from lookback import _native
from lookback._call import day as day_text
from lookback._checks import usage, whole
from lookback._iteration import State
from lookback._types import ArrowStreamable, DayLike, Impressions, Limits, PathLike, Report
from lookback.store import Store


_log = logging.getLogger("lookback")


class StoreOrigin:
    """A store, and the impressions of an input."""

    def __init__(
        self,
        store: Store,
        input: Optional[PathLike],
        *,
        impressions: dict[str, ArrowStreamable],
        impression_columns: Optional[Mapping[str, str]],
        lookback_days: Optional[int],
        known_as_of: Optional[DayLike],
        config: Optional[PathLike],
        allow_gaps: bool,
        allow_pruned: bool,
        quarantine: Optional[PathLike],
    ) -> None:
        if (input is None) == (not impressions):
            count = "no" if input is None else "two kinds of"
            raise usage(f"the rows have {count} input", "give either the root of the files as input, or impressions")
        if impression_columns and not impressions:
            raise usage("impression_columns has names for impressions that are not given", "use a configuration")
        self.place = store.path
        self._impressions = impressions
        self.limits = store.limits
        known = known_as_of if known_as_of is None or known_as_of == "day_before" else day_text(known_as_of)
        # What determines the rows.
        self.settings: State = {
            "lookback_days": None if lookback_days is None else whole("lookback_days", lookback_days),
            "known_as_of": known,
        }
        self._read: State = {
            "input": None if input is None else os.fspath(input),
            "impression_columns": dict(impression_columns or {}),
            "config": None if config is None else os.fspath(config),
            "allow_gaps": allow_gaps,
            "allow_pruned": allow_pruned,
            "quarantine": None if quarantine is None else os.fspath(quarantine),
        }
        unused = None if input is None or config is not None else _native.unused_configuration(self._read["input"])
        if unused is not None:
            _log.warning(
                "the configuration %s lies beside the input root and is not used; give it as config to use it, or move "
                "it into the root",
                unused,
            )

    def prepare(self, asked: Any, limits: Limits, stop: _native.Stop, report: Report) -> _native.Day:
        """Read the rows of a day from the store, once."""
        if asked["known_as_of"] == "day_before":
            day = date(*map(int, asked["dt"].split("-"))) - timedelta(days=1)
            asked = {**asked, "known_as_of": day_text(day)}
        wanted: Any = {**self._read, **asked, "impressions": self._impressions.get(asked["dt"])}
        return _native.prepare(self.place, wanted, limits, stop, report)


def by_day(impressions: Optional[Impressions], days: list[str]) -> dict[str, ArrowStreamable]:
    """Return impressions from memory by day; none if there are none."""
    if impressions is None:
        return {}
    of_days: Any = impressions if isinstance(impressions, Mapping) else {days[0]: impressions}
    given = {day_text(day): data for day, data in of_days.items()}
    if sorted(given) != sorted(days):
        raise usage(f"the impressions are of {len(given)} of {len(days)} days, or of others", "give those of each day")
    for data in given.values():
        if not hasattr(data, "__arrow_c_stream__"):
            raise usage(
                f"a {type(data).__name__} is no Arrow data",
                "give a table or reader with __arrow_c_stream__, as those of pyarrow, Polars, DuckDB and pandas have",
            )
    return given


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
