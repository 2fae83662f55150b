"""A store to read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Optional

from lookback import _native
from lookback._call import call, day
from lookback._limits import limits_of
from lookback._types import DayLike, Id, Limits, PathLike, Size, Summary
from lookback._work import Progress, Reporter

if TYPE_CHECKING:
    from lookback.rows import Rows


class Store:
    """A store to read from, and the resources that reading may use.

    Nothing is open between calls: each reads what the store holds at that moment, so a store may be used in forked and
    spawned processes, pickled, and written to by others meanwhile.

    Args:
        path: the folder of the store.
        memory_limit: bytes, or text such as ``"2GiB"``, for each call; half of the machine's memory without it.
        threads: one for each core without it; the result is the same with any number.
        scratch: the folder for scratch files; that of the system without it (``TMPDIR``).

    Raises:
        lookback.Refused: there is no store.

    Example:
        >>> store = lookback.Store("store", memory_limit="1GiB")
        >>> store.status()["customers"]
        1
    """

    def __init__(
        self,
        path: PathLike,
        *,
        memory_limit: Optional[Size] = None,
        threads: Optional[int] = None,
        scratch: Optional[PathLike] = None,
    ) -> None:
        self._path = os.fspath(path)
        self._limits = limits_of(memory_limit, threads, scratch)
        self.status()

    @property
    def path(self) -> str:
        """The folder of the store."""
        return self._path

    @property
    def limits(self) -> Limits:
        """Memory in bytes, threads and the folder for scratch files; ``None`` is the default."""
        return self._limits

    def __repr__(self) -> str:
        return f"lookback.Store({self._path!r})"

    def status(self) -> Summary:
        """Return what the store holds, as :func:`lookback.status` does."""
        return call("status", store=self._path)

    def histories(
        self,
        customers: Iterable[Id],
        *,
        dt: DayLike,
        max_history: Optional[int] = None,
        lookback_days: Optional[int] = None,
        known_as_of: Optional[DayLike] = None,
        allow_gaps: bool = False,
        allow_pruned: bool = False,
        progress: Progress = None,
    ) -> _native.ArrowStream:
        """Return the histories of customers as of a day, as a stream of Arrow record batches.

        Args:
            customers: their ids, in any order; repeated ones count once. Text where the store's customers are text.
            dt: the day; histories have actions from strictly before it.
            max_history: use only the newest so many actions.
            lookback_days: use only actions of so many days before the day.
            known_as_of: use only batches up to and including this day.
            allow_gaps: continue although batches before the day are missing in the store.
            allow_pruned: continue although actions that the histories should have were pruned.
            progress: a function that takes :class:`lookback.ProgressEvent`, or ``True`` for bars of tqdm.

        Returns:
            An object with ``__arrow_c_stream__``, to be read once, by pyarrow, Polars, DuckDB or pandas: a row for each
            customer, ascending, but forgotten ones; columns ``customer_id`` int64, ``customer_text`` if customers are
            text, ``actions`` list of int64, ``action_types`` list of int32, ``action_times`` list of microseconds in
            UTC, newest first, without padding. At most a few record batches are in memory.

        Raises:
            lookback.Refused: batches or actions are missing that the histories depend on.

        Example:
            >>> import pyarrow
            >>> pyarrow.table(lookback.Store("store").histories([7, 8], dt="2026-01-02")).column("actions").to_pylist()
            [[12, 11], []]
        """
        asked = (
            day(dt),
            max_history,
            lookback_days,
            None if known_as_of is None else day(known_as_of),
            allow_gaps,
            allow_pruned,
        )
        reporter = Reporter(progress)
        try:
            ids = [str(customer) for customer in customers]
            return _native.histories(self._path, ids, asked, self._limits, reporter)
        finally:
            reporter.close()

    def rows(self, *, days: Sequence[DayLike], **settings: Any) -> Rows:
        """Return the training rows of days as batches of numpy arrays and Arrow.

        Arguments, order, states and errors are those of :class:`lookback.rows.Rows`; ``lookback.torch.TrainingRows``
        gives the same as tensors.

        Example:
            >>> for batch in lookback.Store("store").rows(input="input", days=["2026-01-02"], order="customer"):
            ...     print(batch.impressions.tolist(), batch.labels.tolist(), batch.actions[:, :3].tolist())
            [12, 13] [1, 0] [[12, 11, 0], [12, 11, 0]]
        """
        from lookback.rows import Rows

        return Rows(self, days=days, **settings)
