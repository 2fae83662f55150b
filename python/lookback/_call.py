"""How a function becomes a command: its arguments are the words of the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Optional, Union

from lookback import _native
from lookback._checks import usage
from lookback._types import ArrowStreamable, Columns, DayLike, Given, Id, PathLike, Size, Summary
from lookback._work import Engine, Progress, Reporter


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
    rows: Given = ((), ()),
    scratch: Optional[PathLike] = None,
    engine: Optional[Engine] = None,
    **settings: Any,
) -> Summary:
    """Run a command and return its summary. A function of a command calls this first, with all of its arguments.

    Settings become words as :func:`words_of` says. ``rows`` come from memory: see :func:`rows_in_memory`. ``scratch``
    is the folder for their scratch files; that of the system without it. ``engine`` runs the tasks of a command on a
    sharded store.
    """
    words = words_of(command, **settings, memory_limit=memory_limit, threads=threads)
    if places:
        words += ["--", *(os.fspath(place) for place in places)]
    reporter = Reporter(progress, engine)
    try:
        summary = _native.call(words, rows, reporter, engine is not None, None if scratch is None else os.fspath(scratch))
    finally:
        reporter.close()
    return json.loads(summary) if summary else {}


def words_of(command: str, /, **settings: Any) -> list[str]:
    """Return the words of a command line.

    A setting that is ``None`` or ``False`` is left out, ``True`` is a word without a value, an iterable is a word for
    each element; a day is text or a date. ``customers`` are ids, or a file of ids.
    """
    words = command.split()
    customers = settings.pop("customers", None)
    if isinstance(customers, (str, os.PathLike)):
        settings["customers"] = customers
    elif customers is not None:
        settings["customer"] = [str(customer) for customer in customers]
    for name, value in settings.items():
        if value is None or value is False:
            continue
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, (str, os.PathLike, date, int)):
            words.append(f"{option}={_word(value)}")
        else:
            words.extend(f"{option}={_word(one)}" for one in value)
    return words


def _word(value: Any) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    return day(value) if isinstance(value, date) else str(value)


def rows_in_memory(command: str, sources: Mapping[str, Optional[ArrowStreamable]], columns: Optional[Columns]) -> Given:
    """Return what :func:`call` takes as rows.

    ``sources`` are data by the name of their source. ``columns`` has the name of each column by its key, for all
    sources, or such a mapping for each source.
    """
    streams = {source: data for source, data in sources.items() if data is not None}
    for source, data in streams.items():
        if not hasattr(data, "__arrow_c_stream__"):
            raise usage(
                f"{command} has no argument {source!r}, and as rows of a source a {type(data).__name__} is no Arrow data",
                "give a table or reader with __arrow_c_stream__, as those of pyarrow, Polars, DuckDB and pandas have",
            )
    named: Mapping[str, Any] = columns or {}
    if named and all(isinstance(name, str) for name in named.values()):
        named = {source: named for source in streams}
    for source, of_source in named.items():
        if source not in streams:
            raise usage(f"columns has names for {source!r}, of which there are no rows", "name columns of sources given")
        if not isinstance(of_source, Mapping) or not all(isinstance(name, str) for name in of_source.values()):
            raise usage(f"columns of {source} are {of_source!r}", "give the name of each column by its key")
    return list(streams.items()), [(source, dict(of_source)) for source, of_source in named.items()]


# Ids, or a text file with one on each line.
Customers = Union[Iterable[Id], PathLike]
