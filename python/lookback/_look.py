"""Commands that look at a store or an input, and change nothing."""

from __future__ import annotations

from typing import Any, Optional, Union, overload

from lookback import _native
from lookback._call import Customers, call, day
from lookback._limits import limits_of
from lookback._types import DayLike, Id, PathLike, Size, Summary
from lookback._work import Progress, Reporter


def status(store: PathLike) -> Summary:
    """Return what a store holds: batches, gaps, customers, actions, bytes, format version.

    Args:
        store: the folder of the store.

    Raises:
        lookback.Refused: there is no store.

    Example:
        >>> lookback.status("store")["customers"]
        1
    """
    return call("status", **locals())


def show(store: PathLike, customer: Id, *, dt: Optional[DayLike] = None, limit: Optional[int] = None) -> Summary:
    """Return one customer's history as of a day.

    Args:
        store: the folder of the store.
        customer: the customer's id.
        dt: actions from strictly before this day; without it, the day after the newest batch.
        limit: only the newest so many actions.

    Returns:
        The summary of ``lookback show --json``: the actions, newest first.

    Example:
        >>> [action["item_id"] for action in lookback.show("store", 7)["actions"]]
        [12, 11]
    """
    return call("show", **locals())


def explain(
    store: PathLike,
    customer: Id,
    *,
    dt: DayLike,
    item: Optional[int] = None,
    limit: Optional[int] = None,
    max_history: Optional[int] = None,
    lookback_days: Optional[int] = None,
    known_as_of: Optional[DayLike] = None,
) -> Summary:
    """Explain one customer's history as of a day, action by action: where each came from, and which count.

    Args:
        store: the folder of the store.
        customer: the customer's id.
        dt: the day; the history has actions from strictly before it.
        item: list only the actions on this item, with their places in the whole history.
        limit: list only the newest so many actions.
        max_history: use only the newest so many actions.
        lookback_days: use only actions of so many days before the day.
        known_as_of: use only batches up to and including this day.

    Returns:
        The summary of ``lookback explain --json``.

    Example:
        >>> lookback.explain("store", 7, dt="2026-01-02")["history_length"]
        2
    """
    return call("explain", **locals())


def get(
    store: PathLike,
    customers: Customers,
    *,
    dt: DayLike,
    out: PathLike,
    format: Optional[str] = None,
    max_history: Optional[int] = None,
    lookback_days: Optional[int] = None,
    known_as_of: Optional[DayLike] = None,
    allow_gaps: bool = False,
    allow_pruned: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Write the histories of many customers as of a day to a file, with times and without padding.

    :meth:`lookback.Store.histories` returns them in memory instead.

    Args:
        store: the folder of the store.
        customers: their ids, or a text file with one id on each line.
        dt: the day; histories have actions from strictly before it.
        out: the file, which appears whole or not at all; without it the ids are returned.
        format: ``"arrow"``, ``"parquet"`` or ``"jsonl"``; without it by the ending of ``out``.
        max_history: use only the newest so many actions.
        lookback_days: use only actions of so many days before the day.
        known_as_of: use only batches up to and including this day.
        allow_gaps: continue although batches before the day are missing in the store.
        allow_pruned: continue although actions that the histories should have were pruned.
        memory_limit: bytes, or text such as ``"2GiB"``; half of the machine's memory without it.
        threads: one for each core without it; the result is the same with any number.
        progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm.

    Returns:
        The summary of ``lookback get --json``: customers, those without history, actions.

    Example:
        >>> lookback.get("store", [7, 8], dt="2026-01-02", out="histories.parquet")["actions"]
        2
    """
    return call("get", **locals())


def report(
    store: PathLike,
    *,
    html: PathLike,
    out: Optional[PathLike] = None,
    title: Optional[str] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Write a page with plots about a store and the partitions produced from it.

    Args:
        store: the folder of the store.
        html: the page to write, one file that needs no network.
        out: an output folder, which holds ``dt=…/``; the page then also shows its rows.
        title: the title of the page.

    Returns:
        The summary of ``lookback report --json``.

    Example:
        >>> lookback.report("store", html="report.html")["batches"]
        1
    """
    return call("report", **locals())


def config_check(
    input: PathLike,
    *,
    config: Optional[PathLike] = None,
    dt: Optional[DayLike] = None,
    store: Optional[PathLike] = None,
) -> Summary:
    """Return what would be read of an input; with ``dt`` also the files of a day, and what is missing.

    Args:
        input: the root of the input.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        dt: look at the files of this day.
        store: also check whether :func:`ingest` into this store would refuse the day.

    Returns:
        The summary of ``lookback config check --json``.

    Raises:
        lookback.Error: the day cannot be read, or would be refused; ``error.summary`` has what was found.

    Example:
        >>> lookback.config_check("input", dt="2026-01-01")["dt"]
        '2026-01-01'
    """
    return call("config check", **locals())


@overload
def vocabulary(
    input: PathLike,
    *,
    from_: DayLike,
    to: DayLike,
    of: str,
    out: PathLike,
    config: Optional[PathLike] = None,
    min_count: Optional[int] = None,
    quarantine: Optional[PathLike] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary: ...
@overload
def vocabulary(
    input: PathLike,
    *,
    from_: DayLike,
    to: DayLike,
    of: str,
    out: None = None,
    config: Optional[PathLike] = None,
    min_count: Optional[int] = None,
    quarantine: Optional[PathLike] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> _native.ArrowStream: ...
def vocabulary(
    input: PathLike,
    *,
    from_: DayLike,
    to: DayLike,
    of: str,
    out: Optional[PathLike] = None,
    config: Optional[PathLike] = None,
    min_count: Optional[int] = None,
    quarantine: Optional[PathLike] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Union[Summary, _native.ArrowStream]:
    """Number the items or customers of an input, the most frequent first, as a Parquet file or as Arrow.

    Either has columns ``index`` int64, 1 and following (0 is the padding), ``item_id`` or ``customer_id`` int64,
    ``actions`` and ``impressions`` int64: how often each is in actions, and how often it was shown.

    Args:
        input: the root that holds ``clicks/dt=…/`` and so on, or what the configuration names. No store is needed.
        from_: the first batch day.
        to: the last batch day, included.
        of: ``"items"`` or ``"customers"``.
        out: the file, which appears whole or not at all; without it the ids are returned.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        min_count: leave out ids with fewer actions and impressions together.
        quarantine: a folder or URL for bad rows; without it an input with a bad row is refused.
        memory_limit: bytes, or text such as ``"2GiB"``; half of the machine's memory without it.
        threads: one for each core without it; the result is the same with any number.
        progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm.

    Returns:
        With ``out`` the summary of ``lookback vocabulary --json``: ids, those left out, files, days without any. Without
        it an object with ``__arrow_c_stream__``, to be read once, a record batch of at most 65,536 ids at a time.

    Raises:
        lookback.Input: a file is no file of the contract, or has a bad row.
        lookback.Refused: the days have no ids at all.

    Example:
        >>> items = lookback.vocabulary("input", from_="2026-01-01", to="2026-01-02", of="items", out="items.parquet")
        >>> items["ids"]
        3
        >>> items = lookback.vocabulary("input", from_="2026-01-01", to="2026-01-02", of="items")
        >>> import pyarrow
        >>> pyarrow.table(items).column("item_id").to_pylist()
        [12, 11, 13]
    """
    settings = dict(locals())
    if out is not None:
        return call("vocabulary", **settings)
    asked: Any = {**settings, "from_": day(from_), "to": day(to)}
    reporter = Reporter(progress)
    try:
        return _native.vocabulary(asked, limits_of(memory_limit, threads, None), reporter)
    finally:
        reporter.close()
