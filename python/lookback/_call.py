"""How a function becomes a command: its arguments are the words of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import date
from typing import Any, Optional, Union

from lookback import _native
from lookback._types import DayLike, PathLike, Size, Summary
from lookback._work import Progress, Reporter


def day(value: DayLike) -> str:
    """Return a day as the command line has it."""
    return value if isinstance(value, str) else value.strftime("%Y-%m-%d")


def call(
    command: str,
    /,
    *places: PathLike,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
    **settings: Any,
) -> Summary:
    """Run a command and return its summary. A function of a command calls this first, with all of its arguments.

    A setting that is ``None`` or ``False`` is left out, ``True`` is a word without a value, an iterable is a word for
    each element; a day is text or a date. ``customers`` are ids, or a file of ids.
    """
    words = command.split()
    customers = settings.pop("customers", None)
    if isinstance(customers, (str, os.PathLike)):
        settings["customers"] = customers
    elif customers is not None:
        settings["customer"] = [int(customer) for customer in customers]
    for name, value in {**settings, "memory_limit": memory_limit, "threads": threads}.items():
        if value is None or value is False:
            continue
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, (str, os.PathLike, date, int)):
            words.append(f"{option}={_word(value)}")
        else:
            words.extend(f"{option}={_word(one)}" for one in value)
    if places:
        words += ["--", *(os.fspath(place) for place in places)]
    reporter = Reporter(progress)
    try:
        summary = _native.call(words, reporter)
    finally:
        reporter.close()
    return json.loads(summary) if summary else {}


def _word(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return day(value) if isinstance(value, date) else str(value)


# Ids, or a text file with one on each line.
Customers = Union[Iterable[int], PathLike]
