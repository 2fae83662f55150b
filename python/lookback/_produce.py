"""Commands about produced rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from lookback._call import call, rows_in_memory
from lookback._types import ArrowStreamable, Columns, DayLike, PathLike, Size, Summary
from lookback._work import Progress


def produce(
    store: PathLike,
    *,
    dt: DayLike,
    out: PathLike,
    input: Optional[PathLike] = None,
    impressions: Optional[ArrowStreamable] = None,
    config: Optional[PathLike] = None,
    columns: Optional[Columns] = None,
    known_as_of: Optional[DayLike] = None,
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
    """Write the training rows of one day: its impressions with each customer's history from strictly before it.

    Args:
        store: the folder of the store.
        dt: the day whose impressions become rows; all their actions are from before this day.
        out: the output folder, new or with only partitions in it; the rows go to ``out/dt=…/``.
        input: the root that holds ``impressions/dt=…/``, or what the configuration names.
        impressions: instead of ``input``: data in memory, whatever has ``__arrow_c_stream__``; see :func:`ingest`.
        columns: names of its columns by their keys ``ranking_id``, ``customer_id``, ``impressions``, and ``item_id`` and
            ``is_order`` in its elements, or in a row for each item shown if ``position`` is named; without it those of
            the configuration or of the contract.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        known_as_of: use only batches up to and including this day, as a run on the next morning would have.
        max_history: the length of the padded histories; without it, and at most, as many as the store keeps.
        lookback_days: keep only actions of this many days before the day.
        compression: ``"zstd"`` (the default), ``"snappy"``, ``"lz4"`` or ``"none"``.
        row_group_rows: rows of a row group; 10,000 without it.
        part_rows: rows of a part file; 1,000,000 without it.
        with_: further columns: ``"dt"``, ``"history_length"``, ``"action_ages"``, ``"action_times"``.
        item_type: ``"int64"`` (the default) or ``"int32"``, of item ids.
        type_type: ``"int32"`` (the default) or ``"uint8"``, of action types.
        order: ``"customer"`` (the default), ``"shuffled"`` or ``"carousel"``.
        seed: the seed of a shuffled order; 0 without it.
        table: ``"delta"`` makes the output a Delta table: a commit for each partition, and the files of older versions
            stay. An output never changes its kind.
        vacuum: then remove the files that left the Delta table at least this long ago, such as ``"7d"`` or ``"24h"``
            (``"1h"`` or more).
        allow_gaps: continue although batches before the day are missing in the store.
        allow_pruned: continue although actions that the rows should have were pruned.
        quarantine: a folder or URL for bad rows; without it impressions with a bad row are refused as a whole.
        memory_limit: bytes, or text such as ``"2GiB"``; half of the machine's memory without it.
        threads: one for each core without it; the result is the same with any number.
        progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm.

    Returns:
        The summary of ``lookback produce --json``: rows, customers, the newest batch, what was unusual.

    Raises:
        lookback.Input: an impression file is no file of the contract, or has a bad row.
        lookback.Refused: batches or actions are missing that the rows depend on.

    Example:
        >>> lookback.produce("store", input="input", dt="2026-01-02", out="out")["rows"]
        2
    """
    settings = {name: value for name, value in locals().items() if name not in ("impressions", "columns")}
    return call("produce", rows=rows_in_memory("produce", {"impressions": impressions}, columns), **settings)


def audit(
    store: PathLike,
    *,
    input: PathLike,
    out: PathLike,
    dt: DayLike,
    config: Optional[PathLike] = None,
    sample: Optional[int] = None,
    seed: Optional[int] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Prove a partition's rows: derive them from the raw files independently, and compare every cell.

    Args:
        store: the folder of the store that the partition was produced from.
        input: the root with the raw files that the store was filled from.
        out: the output folder, which holds ``dt=…/``.
        dt: the day of the partition.
        config: the configuration of names and layouts.
        sample: compare only the rows of so many customers, and count the others.
        seed: the seed that selects the customers of the sample.

    Returns:
        The summary of ``lookback audit --json``.

    Raises:
        lookback.Corrupt: a cell does not follow from the raw files; the message names both. ``error.summary`` has what
            was found.

    Example:
        >>> lookback.audit("store", input="input", out="out", dt="2026-01-02")["rows"]
        2
    """
    return call("audit", **locals())


def stale(
    store: PathLike,
    *,
    out: PathLike,
    as_daily: bool = False,
    known_as_of: Optional[DayLike] = None,
    exit_code: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """List the partitions whose rows would change because their batches have changed, and why.

    Args:
        store: the folder of the store.
        out: the output folder, which holds ``dt=…/``.
        as_daily: judge each partition as known the day before its day.
        known_as_of: judge each partition as known on this day.
        exit_code: raise :class:`lookback.Different` if a partition is listed.

    Returns:
        The summary of ``lookback stale --json``, with a list of the partitions under ``listed``.

    Example:
        >>> lookback.stale("store", out="out")["listed"]
        []
    """
    return call("stale", **locals())


def manifest(
    out: PathLike,
    *,
    dt: DayLike,
    check: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Return a partition's manifest: settings, files, and the batches that its rows rest on.

    Args:
        out: the output folder, which holds ``dt=…/``.
        dt: the day of the partition.
        check: read the part files instead, and fail at the first that has changed since it was written.

    Raises:
        lookback.Corrupt: a part file has changed.

    Example:
        >>> lookback.manifest("out", dt="2026-01-02")["rows"]
        2
    """
    return call("manifest", **locals())


def diff(
    out1: PathLike,
    out2: PathLike,
    *,
    dt: Optional[DayLike] = None,
    limit: Optional[int] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Compare the rows of two outputs: which differ and where, and which only one output has.

    Args:
        out1: the first output folder, which holds ``dt=…/``.
        out2: the second one.
        dt: compare the partitions of this day; without it, of all days that are in both.
        limit: list at most so many rows of each partition; 20 without it.

    Returns:
        The summary of ``lookback diff --json``, if the rows are the same.

    Raises:
        lookback.Different: they are not; ``error.summary`` lists how.

    Example:
        >>> lookback.diff("out", "out")["same"]
        True
    """
    return call(
        "diff", out1, out2, dt=dt, limit=limit, memory_limit=memory_limit, threads=threads, progress=progress
    )
