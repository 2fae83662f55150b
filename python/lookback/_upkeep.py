"""Commands that keep a store in order."""

from __future__ import annotations

from typing import Optional

from lookback._call import call
from lookback._types import PathLike, Size, Summary
from lookback._work import Progress


def backup(
    store: PathLike,
    *,
    to: PathLike,
    keep: Optional[int] = None,
    grace: Optional[str] = None,
    check: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Copy a store to a folder or URL of backups, also while other processes use it.

    Args:
        store: the folder of the store.
        to: the folder or URL of the backups; created if missing. Each further backup copies only new files.
        keep: delete all but the newest so many backups afterwards.
        grace: with ``keep`` at a URL: remove files that no backup uses when they are older, such as ``"24h"``, which is
            the default.
        check: afterwards, but before backups are deleted, compare all files of the backup with their checksums.

    Returns:
        The summary of ``lookback backup --json``.

    Example:
        >>> lookback.backup("store", to="backups", keep=7)["number"]
        1
    """
    return call("backup", **locals())


def restore(
    from_: PathLike,
    *,
    store: PathLike,
    number: Optional[int] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Create a store from a backup, comparing every file with its checksum.

    Args:
        from_: the folder or URL of the backups.
        store: the folder of the store to create.
        number: the number of the backup; the newest without it.

    Returns:
        The summary of ``lookback restore --json``.

    Raises:
        lookback.Corrupt: a file of the backup is damaged.

    Example:
        >>> backup = lookback.backup("store", to="backups")
        >>> lookback.restore("backups", store="restored")["number"] == backup["number"]
        True
    """
    return call("restore", **locals())


def migrate(
    store: PathLike,
    *,
    take_zone_rules: bool = False,
    dry_run: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Migrate a store to the format version of this package.

    Args:
        store: the folder of the store.
        take_zone_rules: take this machine's newer rules of the store's time zone.
        dry_run: return what would be done, but change nothing.

    Returns:
        The summary of ``lookback migrate --json``.

    Example:
        >>> lookback.migrate("store", dry_run=True)["dry_run"]
        True
    """
    return call("migrate", **locals())


def verify(
    store: Optional[PathLike] = None,
    *,
    deep: bool = False,
    backup: Optional[PathLike] = None,
    number: Optional[int] = None,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Read a whole store and check that it agrees with itself; changes nothing.

    Args:
        store: the folder of the store.
        deep: also compute the content of each keyframe, and look up every key as readers do.
        backup: instead of a store, compare every file of this folder or URL of backups with its checksum.
        number: the only backup to read; all of them without it.

    Returns:
        The summary of ``lookback verify --json``.

    Raises:
        lookback.Corrupt: there is a fault; ``error.summary`` lists the faults.

    Example:
        >>> lookback.verify("store", deep=True)["faults"]
        0
    """
    return call("verify", **locals())


def repair(
    store: PathLike,
    *,
    dry_run: bool = False,
    memory_limit: Optional[Size] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Summary:
    """Rebuild the derived data of a store where it is wrong: keyframes, batch index, customer index, totals.

    Args:
        store: the folder of the store.
        dry_run: return what would be written, but write nothing.

    Returns:
        The summary of ``lookback repair --json``.

    Example:
        >>> lookback.repair("store", dry_run=True)["dry_run"]
        True
    """
    return call("repair", **locals())
