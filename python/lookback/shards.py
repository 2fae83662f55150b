"""Commands on sharded stores: the customers dealt out to many stores, which lie at a folder or URL as numbered versions.

``docs/sharded.md`` says what a version is, and when a sharded store is the right one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Optional

from lookback._call import Customers, call
from lookback._sharded import audit, backfill, migrate, stale
from lookback._types import DayLike, PathLike, Size, Summary
from lookback._work import Progress

__all__ = [
    "audit",
    "backfill",
    "checkout",
    "export",
    "forget",
    "gc",
    "import_",
    "ingest",
    "init",
    "migrate",
    "produce",
    "remove",
    "split",
    "stale",
    "status",
    "verify",
]


def init(
    store: PathLike,
    *,
    shards: int,
    max_history: Optional[int] = None,
    timezone: Optional[str] = None,
    duplicates: Optional[str] = None,
    config: Optional[PathLike] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Make a sharded store without batches: version 1.

    Args:
        store: the folder or URL of the sharded store.
        shards: the number of shards, a power of two.
        max_history: how many of the most recent actions a history keeps, 1 to 100,000; 1,000 without it.
        timezone: the IANA time zone in which days begin; UTC without it.
        duplicates: ``"keep"`` (the default), or ``"drop"`` to hold equal actions once.
        config: a ``lookback.toml`` with what ids are, and names and numbers of action types.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards init --json``: version and settings.

    Raises:
        lookback.Refused: there is a sharded store already.

    Example:
        >>> lookback.shards.init("sharded", shards=4)["version"]
        1
    """
    return call("shards init", **locals())


def status(
    store: PathLike,
    *,
    number: Optional[int] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Return what a version holds, and which versions there are.

    Args:
        store: the folder or URL of the sharded store.
        number: the version; the newest without it.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards status --json``: version, batches, gaps, actions, bytes.

    Raises:
        lookback.Refused: there is no sharded store.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.status("sharded")["shards"]
        4
    """
    return call("shards status", **locals())


def ingest(
    store: PathLike,
    *,
    dt: DayLike,
    input: PathLike,
    config: Optional[PathLike] = None,
    batch_id: Optional[str] = None,
    allow_empty: bool = False,
    allow_far_day: bool = False,
    allow_missing_source: bool = False,
    quarantine: Optional[PathLike] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Ingest one day's batch of actions into all shards, and make the next version.

    Args:
        store: the folder or URL of the sharded store.
        dt: the batch: the day on which its actions arrived.
        input: the root that holds ``clicks/dt=…/``, ``add_to_carts/dt=…/`` and ``orders/dt=…/``, or what the
            configuration names.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        batch_id: an identity of the batch, such as the snapshot of a table: a store that has it already stays as it
            is.
        allow_empty: accept a day without any file as an empty batch.
        allow_far_day: accept a day later than tomorrow, or ten years from every other batch or most of its actions.
        allow_missing_source: accept a batch without files of a source that all of the last seven batches had.
        quarantine: a folder for bad rows; without it they are refused.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards ingest --json``: the counts of all shards together, and the version.

    Raises:
        lookback.Busy: other runs have made the next version five times meanwhile.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.ingest("sharded", input="input", dt="2026-01-01")["actions"]
        2
    """
    return call("shards ingest", **locals())


def produce(
    store: PathLike,
    *,
    dt: DayLike,
    input: PathLike,
    out: PathLike,
    number: Optional[int] = None,
    config: Optional[PathLike] = None,
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
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Write the training rows of one day from all shards of a version, as one partition.

    Args:
        store: the folder or URL of the sharded store.
        dt: the day whose impressions become rows; all their actions are from before this day.
        input: the root that holds ``impressions/dt=…/``, or what the configuration names.
        out: the output folder or URL; the rows go to ``out/dt=…/``.
        number: the version; the newest without it.
        config: the configuration of names and layouts; without it ``lookback.toml`` in the input root.
        known_as_of: use only batches up to and including this day.
        max_history: the length of the padded histories; without it, and at most, as many as the store keeps.
        lookback_days: keep only actions of this many days before the day.
        compression: ``"zstd"`` (the default), ``"snappy"``, ``"lz4"`` or ``"none"``.
        row_group_rows: rows of a row group; 10,000 without it.
        part_rows: rows of a part file; 1,000,000 without it.
        with_: further columns, as for :func:`lookback.produce`.
        item_type: ``"int64"`` (the default) or ``"int32"``, of item ids.
        type_type: ``"int32"`` (the default) or ``"uint8"``, of action types.
        order: the order of the rows within each shard: ``"customer"`` (the default), ``"shuffled"`` or
            ``"carousel"``.
        seed: the seed of a shuffled order.
        table: ``"delta"`` makes the output a Delta table; its parts of older versions stay.
        vacuum: with ``table``: then remove the files that left the table at least this long ago, such as ``"7d"``.
        allow_gaps: produce although batches before the day are missing.
        allow_pruned: produce although actions that the rows should have were pruned.
        quarantine: a folder for bad rows; without it they are refused.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards produce --json``: the counts of all shards together, and the version.

    Raises:
        lookback.Refused: batches before the day are missing.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.ingest("sharded", input="input", dt="2026-01-01")
        >>> lookback.shards.produce("sharded", input="input", dt="2026-01-02", out="rows")["rows"]
        2
    """
    return call("shards produce", **locals())


def remove(
    store: PathLike,
    *,
    dt: DayLike,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove one day's batch from all shards, and make the next version.

    Args:
        store: the folder or URL of the sharded store.
        dt: the batch.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards remove --json``: actions and customers of the batch, and the version.

    Raises:
        lookback.Refused: the store does not hold the batch.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.ingest("sharded", input="input", dt="2026-01-01")
        >>> lookback.shards.remove("sharded", dt="2026-01-01")["version"]
        3
    """
    return call("shards remove", **locals())


def forget(
    store: PathLike,
    *,
    customers: Customers,
    out: Optional[Iterable[PathLike]] = None,
    scrub: bool = False,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove customers from their shards for good, and all earlier versions with them.

    Args:
        store: the folder or URL of the sharded store.
        customers: the ids, or a text file with one on each line.
        out: outputs to search for partitions that still have rows of these customers.
        scrub: rewrite these partitions without the rows.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards forget --json``: counts, and partitions that were found.

    Raises:
        lookback.Refused: a partition cannot be rewritten.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.ingest("sharded", input="input", dt="2026-01-01")
        >>> lookback.shards.forget("sharded", customers=[7])["actions"]
        2
    """
    return call("shards forget", **locals())


def verify(
    store: PathLike,
    *,
    number: Optional[int] = None,
    deep: bool = False,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Read all shards of a version and check that each agrees with itself.

    Args:
        store: the folder or URL of the sharded store.
        number: the version; the newest without it.
        deep: also compute the content of each keyframe, and look up every key as readers do.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards verify --json``: what was checked.

    Raises:
        lookback.Corrupt: there are faults; ``error.summary`` counts them.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.verify("sharded")["faults"]
        0
    """
    return call("shards verify", **locals())


def checkout(
    store: PathLike,
    *,
    shard: int,
    to: PathLike,
    number: Optional[int] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Make an ordinary store of one shard of a version, to look at.

    Args:
        store: the folder or URL of the sharded store.
        shard: the shard, from 0.
        to: the folder of the store to create.
        number: the version; the newest without it.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards checkout --json``: version, shard and folder.

    Raises:
        lookback.Refused: there is a store already.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> made = lookback.shards.checkout("sharded", shard=3, to="third")
        >>> lookback.status("third")["batches"]
        0
    """
    return call("shards checkout", **locals())


def split(
    store: PathLike,
    *,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Make of each shard two, without the input, and with that the next version.

    Args:
        store: the folder or URL of the sharded store.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards split --json``: version and number of shards.

    Raises:
        lookback.Busy: another run has made the next version meanwhile.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.split("sharded")["shards"]
        8
    """
    return call("shards split", **locals())


def import_(
    store: PathLike,
    *,
    from_: PathLike,
    shards: int,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Make a sharded store of an ordinary one.

    Args:
        store: the folder or URL of the sharded store.
        from_: the folder of the store whose customers are dealt out.
        shards: the number of shards, a power of two.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards import --json``: version and number of shards.

    Raises:
        lookback.Refused: there is a sharded store already.

    Example:
        >>> lookback.shards.import_("sharded", from_="store", shards=4)["version"]
        1
    """
    return call("shards import", **locals())


def export(
    store: PathLike,
    *,
    to: PathLike,
    number: Optional[int] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Make one ordinary store of all shards of a version.

    Args:
        store: the folder or URL of the sharded store.
        to: the folder of the store to create.
        number: the version; the newest without it.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards export --json``: version and number of shards.

    Raises:
        lookback.Refused: there is a store already.

    Example:
        >>> made = lookback.shards.import_("sharded", from_="store", shards=4)
        >>> made = lookback.shards.export("sharded", to="whole")
        >>> lookback.status("whole")["customers"]
        1
    """
    return call("shards export", **locals())


def gc(
    store: PathLike,
    *,
    keep: Optional[int] = None,
    grace: Optional[str] = None,
    cache: Optional[PathLike] = None,
    cache_size: Optional[Size] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Remove old versions, and files that no version names.

    Args:
        store: the folder or URL of the sharded store.
        keep: how many versions stay, the newest ones; 7 without it.
        grace: remove files that no version names when they are older, such as ``"48h"``, which is the default.
        cache: a folder on a disk of this machine in which table files stay for the next command.
        cache_size: the most bytes that stay there; 50 GB without it.

    Returns:
        The summary of ``lookback shards gc --json``: what was removed.

    Raises:
        lookback.Refused: there is no sharded store.

    Example:
        >>> made = lookback.shards.init("sharded", shards=4)
        >>> lookback.shards.gc("sharded")["removed_versions"]
        0
    """
    return call("shards gc", **locals())
