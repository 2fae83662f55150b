"""Commands on sharded stores that :mod:`lookback.shards` has beside its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from lookback._call import call
from lookback._types import DayLike, PathLike, Size, Summary
from lookback._work import Progress


def audit(
    store: PathLike,
    *,
    input: PathLike,
    out: PathLike,
    dt: DayLike,
    number: Optional[int] = None,
    config: Optional[PathLike] = None,
    sample: Optional[int] = None,
    seed: Optional[int] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Prove a partition's rows: derive them from the raw files independently, and compare every cell.

    Args:
        store: the folder or URL of the sharded store that the partition was produced from.
        input: the root with the raw files that the store was filled from.
        out: the output folder or URL.
        dt: the day of the partition.
        number: the version; the newest without it.
        config: the configuration of names and layouts.
        sample: compare only the rows of so many customers, and count the others.
        seed: the seed that selects the customers of the sample.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards audit --json``: what was compared, and the version.

    Raises:
        lookback.Corrupt: a cell does not follow from the raw files; the message names both.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.ingest("sharded", input="input", dt="2026-01-01")
        >>> made = lookback.shards.produce("sharded", input="input", dt="2026-01-02", out="rows")
        >>> lookback.shards.audit("sharded", input="input", out="rows", dt="2026-01-02")["audited_rows"]
        2
    """
    return call("shards audit", **locals())


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
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Ingest the new and changed days of a range, each as a version; with ``out``, also produce the days that have
    impressions.

    Args:
        store: the folder or URL of the sharded store.
        input: the root of the input.
        from_: the first day.
        to: the last day, included.
        out: also produce the days of the range that have impressions, into this folder or URL.
        as_daily: produce each day as known the day before, instead of from all batches with their late data.
        stale: produce only existing partitions that are stale, each with its own settings.
        dry_run: return the plan, and change nothing.
        cache: a folder on a disk of this machine in which table files stay for the next day and command.
        cache_size: the most bytes that stay there; 50 GB without it.

    The other arguments are those of :func:`lookback.shards.ingest` and :func:`lookback.shards.produce`.

    Returns:
        The summary of ``lookback shards backfill --json``: what was done for each day, and the newest version.

    Raises:
        lookback.Input, lookback.Refused, lookback.Busy: as ``ingest`` and ``produce`` do; the days before the one at
            fault are done.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> days = {"from_": "2026-01-01", "to": "2026-01-02"}
        >>> lookback.shards.backfill("sharded", input="input", out="rows", **days)["version"]
        2
    """
    return call("shards backfill", **locals())


def migrate(
    store: PathLike,
    *,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Bring the shards to the format version of this package, and make the next version.

    Args:
        store: the folder or URL of the sharded store.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards migrate --json``: both format versions, and the version.

    Raises:
        lookback.Refused: the shards are of a newer program.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.migrate("sharded")["steps"]
        []
    """
    return call("shards migrate", **locals())


def stale(
    store: PathLike,
    *,
    out: PathLike,
    number: Optional[int] = None,
    as_daily: bool = False,
    known_as_of: Optional[DayLike] = None,
    exit_code: bool = False,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """List the partitions of an output whose rows would change because their batches have changed, and why.

    Args:
        store: the folder or URL of the sharded store.
        out: the output folder or URL.
        number: the version; the newest without it.
        as_daily: judge each partition as known the day before its day.
        known_as_of: judge each partition as known on this day.
        exit_code: raise :class:`lookback.Different` if a partition is listed.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards stale --json``: the stale partitions, and those without a manifest.

    Raises:
        lookback.Refused: the partitions are from a store in another time zone.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.ingest("sharded", input="input", dt="2026-01-01")
        >>> made = lookback.shards.produce("sharded", input="input", dt="2026-01-02", out="rows")
        >>> lookback.shards.stale("sharded", out="rows")["stale"]
        0
    """
    return call("shards stale", **locals())
