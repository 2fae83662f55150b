"""Commands that fill a store and take out of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from lookback._call import Customers, call, rows_in_memory
from lookback._types import ArrowStreamable, Columns, DayLike, PathLike, Size, Summary
from lookback._work import Progress


def init(
    store: PathLike,
    *,
    max_history: Optional[int] = None,
    timezone: Optional[str] = None,
    duplicates: Optional[str] = None,
    config: Optional[PathLike] = None,
) -> Summary:
    """Create a store with settings other than the defaults; they are fixed for its life.

    Args:
        store: the folder to create.
        max_history: how many of the most recent actions a history keeps, 1 to 100,000; 1,000 without it.
        timezone: the IANA time zone in which days begin, such as ``"Europe/Berlin"``; UTC without it.
        duplicates: ``"keep"`` (the default), or ``"drop"`` to hold actions equal in customer, item, time and type once.
        config: a ``lookback.toml`` with what ids are, and names and numbers of action types; without it those of the
            first batch.

    Returns:
        The summary of ``lookback init --json``.

    Raises:
        lookback.Refused: there is a store already, or the folder holds something else.

    Example:
        >>> lookback.init("berlin", max_history=200, timezone="Europe/Berlin")["max_history"]
        200
    """
    return call("init", **locals())


def ingest(
    store: PathLike,
    *,
    dt: DayLike,
    input: Optional[PathLike] = None,
    config: Optional[PathLike] = None,
    columns: Optional[Columns] = None,
    create: bool = False,
    allow_empty: bool = False,
    allow_far_day: bool = False,
    allow_missing_source: bool = False,
    quarantine: Optional[PathLike] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
    **sources: Optional[ArrowStreamable],
) -> Summary:
    """Ingest one day's batch of actions, from files or from memory, replacing an earlier version of it.

    Args:
        store: the folder of the store.
        dt: the batch: the day on which its actions arrived.
        input: the root that holds ``clicks/dt=…/``, ``add_to_carts/dt=…/`` and ``orders/dt=…/``, or what the
            configuration names.
        sources: instead of ``input``: data in memory by the name of its source (``clicks=table, orders=reader``),
            whatever has ``__arrow_c_stream__``: tables and readers of pyarrow, Polars, DuckDB, pandas, Delta, Iceberg.
            Each is read once. The same rows in any order and chunks are the same batch, and give the store that files
            of them would; messages name rows by their number, from 1.
        columns: names of columns by their keys ``customer_id``, ``item_id``, ``time``, ``date`` and ``type``, for all
            sources, or such a mapping for each; without it those of the configuration or of the contract. A source
            that is not described may have any name, if ``time`` and ``type`` are named; the values of ``type`` are the
            names or numbers of types.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        create: create the store, with the defaults of :func:`init`, if there is none.
        allow_empty: accept a day without any file as an empty batch.
        allow_far_day: accept a day later than tomorrow, or ten years from every other batch or most of its actions.
        allow_missing_source: accept a batch without files of a source that all of the last seven batches had.
        quarantine: a folder or URL for bad rows; without it a batch with a bad row is refused as a whole.
        memory_limit: bytes, or text such as ``"2GiB"``; half of the machine's memory without it.
        threads: one for each core without it; the result is the same with any number.
        progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm.

    Returns:
        The summary of ``lookback ingest --json``: actions by type, late and early ones, customers, bytes.

    Raises:
        lookback.Input: a file is no file of the contract, or has a bad row; the message names file, row and column.
        lookback.Refused: the batch is implausible, or the store needs something first.
        lookback.Busy: another process writes to the store.

    Example:
        >>> lookback.ingest("store", input="input", dt="2026-01-01", create=True)["types"]["click"]
        2
        >>> import pyarrow
        >>> table = pyarrow.table({"user": [7], "sku": [13], "at": ["2026-01-01T10:00:00Z"]})
        >>> names = {"customer_id": "user", "item_id": "sku", "time": "at"}
        >>> lookback.ingest("memory", dt="2026-01-01", clicks=table, columns=names, create=True)["actions"]
        1
    """
    settings = {name: value for name, value in locals().items() if name not in ("sources", "columns")}
    return call("ingest", rows=rows_in_memory("ingest", sources, columns), **settings)


def backfill(
    store: PathLike,
    *,
    input: PathLike,
    from_: DayLike,
    to: DayLike,
    out: Optional[PathLike] = None,
    config: Optional[PathLike] = None,
    as_daily: bool = False,
    stale: bool = False,
    allow_empty: bool = False,
    allow_far_day: bool = False,
    allow_missing_source: bool = False,
    dry_run: bool = False,
    max_history: Optional[int] = None,
    lookback_days: Optional[int] = None,
    compression: Optional[str] = None,
    row_group_rows: Optional[int] = None,
    part_rows: Optional[int] = None,
    with_: Optional[Iterable[str]] = None,
    item_type: Optional[str] = None,
    type_type: Optional[str] = None,
    order: Optional[str] = None,
    seed: Optional[int] = None,
    table: Optional[str] = None,
    vacuum: Optional[str] = None,
    allow_gaps: bool = False,
    allow_pruned: bool = False,
    quarantine: Optional[PathLike] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Ingest the new and changed days of a range; with ``out``, also produce the days that have impressions.

    Args:
        store: the folder of the store; created if there is none.
        input: the root of the input.
        from_: the first day.
        to: the last day, included.
        out: also produce the days of the range that have impressions, into this folder.
        as_daily: produce each day as known the day before, instead of from the whole store with its late data.
        stale: produce only existing partitions that are stale, each with its own settings.
        dry_run: return the plan, and change nothing.

    The other arguments are those of :func:`ingest` and :func:`produce`.

    Returns:
        The summary of ``lookback backfill --json``: what was done for each day.

    Raises:
        lookback.Input, lookback.Refused, lookback.Busy: as :func:`ingest` and :func:`produce` do; the days before
            the one at fault are done.

    Example:
        >>> plan = lookback.backfill("store", input="input", from_="2026-01-01", to="2026-01-02", dry_run=True)
        >>> plan["dry_run"]
        True
    """
    return call("backfill", **locals())


def remove(
    store: PathLike,
    *,
    dt: DayLike,
    dry_run: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove one day's batch: the store is then as if that batch had never been ingested.

    Args:
        store: the folder of the store.
        dt: the batch to remove.
        dry_run: return what would be removed, but remove nothing.

    Returns:
        The summary of ``lookback remove --json``.

    Raises:
        lookback.Refused: the store has no such batch.

    Example:
        >>> lookback.remove("store", dt="2026-01-01", dry_run=True)["dry_run"]
        True
    """
    return call("remove", **locals())


def forget(
    store: PathLike,
    customers: Customers,
    *,
    out: Optional[Iterable[PathLike]] = None,
    scrub: bool = False,
    dry_run: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove customers from a store and from its files, for good.

    Args:
        store: the folder of the store.
        customers: their ids, or a text file with one id on each line.
        out: output folders to search for partitions that still have rows of these customers.
        scrub: rewrite these partitions without the rows of forgotten customers.
        dry_run: return what would be removed, but change nothing.

    Returns:
        The receipt, as ``lookback forget --json`` prints it.

    Example:
        >>> lookback.forget("store", [7], dry_run=True)["dry_run"]
        True
    """
    return call("forget", **locals())


def prune(
    store: PathLike,
    *,
    keep_days: int,
    dry_run: bool = False,
    allow_large_removal: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove the actions of old days from a store and from its files.

    Args:
        store: the folder of the store.
        keep_days: keep the actions of this many days before the day of the newest batch, and of that day.
        dry_run: return what would be removed, but remove nothing.
        allow_large_removal: allow the removal of more than a tenth of the actions.

    Returns:
        The summary of ``lookback prune --json``.

    Raises:
        lookback.Refused: more than a tenth of the actions would go.

    Example:
        >>> lookback.prune("store", keep_days=365, dry_run=True)["dry_run"]
        True
    """
    return call("prune", **locals())
