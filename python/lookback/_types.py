"""Types that several modules name."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from typing import Any, Optional, Union

PathLike = Union[str, "os.PathLike[str]"]
# A day as text ("2026-01-31") or as a date.
DayLike = Union[str, date]
# Bytes, or text such as "2GiB".
Size = Union[int, str]
Summary = dict[str, Any]
# Memory in bytes, threads, the folder for scratch files.
Limits = tuple[Optional[int], Optional[int], Optional[str]]
# What work calls with its progress: a name ("item", "end_items", "begin", "advance", "note") and three values.
Report = Callable[[str, Any, Any, Any], object]
