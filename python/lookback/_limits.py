"""What work may use."""

from __future__ import annotations

import os
from typing import Optional

from lookback._checks import usage
from lookback._types import Limits, PathLike, Size

_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}


def limits_of(memory_limit: Optional[Size], threads: Optional[int], scratch: Optional[PathLike]) -> Limits:
    """Return what the extension module takes as resources."""
    memory = memory_limit
    if isinstance(memory, str):
        number = memory.rstrip("BbKkMmGgIi ")
        unit = memory[len(number) :].strip().lower()
        if unit not in _UNITS or not number.strip().isdigit():
            raise usage(f"{memory!r} is no amount of memory", "give bytes or text such as '512MB' or '2GiB'")
        memory = int(number) * _UNITS[unit]
    return memory, threads, None if scratch is None else os.fspath(scratch)
