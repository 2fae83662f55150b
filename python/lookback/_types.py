"""Types that several modules name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Optional, Protocol, Union

PathLike = Union[str, "os.PathLike[str]"]
# A day as text ("2026-01-31") or as a date.
DayLike = Union[str, date]
# The id of a customer: an integer, or text where the store's customers are text.
Id = Union[int, str]
# Bytes, or text such as "2GiB".
Size = Union[int, str]
Summary = dict[str, Any]
# Memory in bytes, threads, the folder for scratch files.
Limits = tuple[Optional[int], Optional[int], Optional[str]]
# What work calls with its progress: a name ("item", "end_items", "begin", "advance", "note") and three values; and with
# tasks ("run"), whose answers it returns.
Report = Callable[[str, Any, Any, Any], object]


class ArrowStreamable(Protocol):
    """What offers record batches by the Arrow C stream interface: tables and readers of most libraries."""

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...


# The impressions of one day, or of several by day.
Impressions = Union[ArrowStreamable, Mapping[DayLike, ArrowStreamable]]
# Names of columns by their keys, or such mappings by source.
Columns = Union[Mapping[str, str], Mapping[str, Mapping[str, str]]]
# Rows in memory: streams by the name of their source, and names of columns by source.
Given = tuple[Sequence[tuple[str, ArrowStreamable]], Sequence[tuple[str, Mapping[str, str]]]]
# A column on its way to another process: the type of its cells, the shape, and where they are: a process, its
# descriptor of memory, and the offset in that.
SentColumn = tuple[str, list[int], tuple[int, int, int]]
# How another process finds a file of a process: the descriptor, and device and inode.
FilePlace = tuple[int, int, int]
