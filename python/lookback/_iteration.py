"""One pass over training rows, and where it stands."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from lookback import _native
from lookback._checks import LARGEST, changed, is_whole, refused, usage
from lookback._work import Reporter

if TYPE_CHECKING:
    from lookback.rows import Rows

State = dict[str, Any]
STATE_VERSION = 1


class Position(NamedTuple):
    """Where an iteration stands: which row of which day of which epoch comes next."""

    epoch: int
    seed: int
    day: int
    row: int
    # Of the day, if it is known; a day that has another is refused.
    fingerprint: Optional[str]


class Worker(NamedTuple):
    """The part of the batches that is wanted: of this rank, and of this of its workers."""

    rank: int = 0
    world_size: int = 1
    worker: int = 0
    workers: int = 1


class Iteration:
    """One pass over the rows of an epoch, from where the rows stand; gives batches of the extension with their states.

    It begins with the first batch that is asked for: until then a state can still be loaded. Dropped before its end, it
    ends what works for it in the background.
    """

    def __init__(self, rows: Rows, worker: Worker) -> None:
        self._rows = rows
        self._worker = worker
        self._changes: Optional[int] = None
        self._is_over = False
        # Where the batches are counted from, which is in the day that is read, and which of them is this worker's next
        # one. Workers take turns over all days: each has every so-many-th global batch.
        self._begin = rows._begin
        self._next = worker.worker
        # Those of the day that is read, and how many there are of all workers.
        self._batches: Optional[_native.Batches] = None
        self._of_day = 0
        self._process = os.getpid()

    def __iter__(self) -> Iteration:
        return self

    def has_begun(self) -> bool:
        """Whether a batch was asked for."""
        return self._changes is not None

    def __next__(self) -> tuple[_native.Batch, State]:
        rows = self._rows
        if self._changes is None:
            rows._shared_by = self._worker.workers
            self._begin, self._changes = rows._begin, rows._changes
            # The next iteration is a whole epoch.
            rows._begin = Position(self._begin.epoch, self._begin.seed, 0, 0, None)
            rows._behind = rows.state_at(self._begin)
        if not self._is_over and self._changes != rows._changes:
            self._end()
            raise changed()
        while not self._is_over:
            try:
                batch = self._of_this_day()
            except BaseException:
                # The rows that failed are not passed over.
                self._end()
                raise
            if batch is not None:
                self._next += self._worker.workers
                state = rows.state_at(self._begin._replace(row=batch.next_row))
                rows._behind = state
                return batch, state
            self._next -= self._of_day
            if self._begin.day + 1 == len(rows._days):
                self._end()
            else:
                self._begin = Position(*self._begin[:2], self._begin.day + 1, 0, None)
        raise StopIteration

    def _of_this_day(self) -> Optional[_native.Batch]:
        """Return this worker's next batch of the day."""
        leave = 0
        if self._batches is None:
            rows, (rank, world_size, _, workers) = self._rows, self._worker
            prepared = rows.day(self._begin)
            self._begin = begin = self._begin._replace(fingerprint=prepared.fingerprint)
            self._of_day = prepared.count(begin.epoch, rows.cut(begin.row, Worker(rank, world_size)), Reporter())
            if self._next >= self._of_day:
                return None
            first_row, turn = begin.row + self._next * rows._cut["batch_size"] * world_size, 0
            if rows._cut["batch_actions_max"] is not None:
                # Only the histories tell where batches begin: those before are made, and left.
                first_row, turn, leave = begin.row, self._next % workers, self._next // workers
            cut = rows.cut(first_row, Worker(rank, world_size, turn, workers))
            self._batches = prepared.batches(begin.epoch, cut, rows._lender, Reporter())
        batch = next(self._batches, None)
        while batch is not None and leave:
            leave -= 1
            batch = next(self._batches, None)
        if batch is None:
            self._close()
        return batch

    def _close(self) -> None:
        batches, self._batches = self._batches, None
        # A forked process has no part in what its parent reads.
        if batches is not None and self._process == os.getpid():
            batches.close()

    def _end(self) -> None:
        """Give no more batches, and let nothing work in the background."""
        self._is_over = True
        self._close()
        self._rows._prepared.stop()

    def __del__(self, is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # At the end of the interpreter the modules are gone, and so is what works in the background.
        if not is_finalizing() and not getattr(self, "_is_over", True):
            self._end()

    def state_dict(self) -> State:
        """Return where this worker's iteration stands, for loaders that keep a state for each worker."""
        begin = self._begin if self.has_begun() else self._rows._begin
        return {**self._rows.state_at(begin), "next": self._next, "cut": self._steps()}

    def _steps(self) -> list[Optional[int]]:
        """What batches are counted by, beside the rows."""
        cut = self._rows._cut
        return [self._worker.workers, self._worker.world_size, cut["batch_size"], cut["batch_actions_max"]]

    def load_state_dict(self, state: State) -> None:
        """Go on where this worker's iteration stood. It has to count batches as before."""
        begin = self._rows.position_of(state)
        if not is_whole(state.get("next"), 0, LARGEST):
            raise usage("this is no state of an iteration over training rows", "load what state_dict() has given")
        if state.get("cut") != self._steps():
            raise refused(
                "the state is of an iteration with another number of workers or ranks, or other batches",
                "use workers, world_size, batch_size and batch_actions_max as before, or load batch.state into the "
                "rows",
            )
        self._begin, self._next, self._changes = begin, state["next"], self._rows._changes
        self._rows._begin = Position(begin.epoch, begin.seed, 0, 0, None)
        self._close()
        self._is_over = False


def check_state(state: State) -> None:
    """Fail if this is no state of training rows."""
    fields = state if isinstance(state, dict) else {}
    fingerprint = fields.get("fingerprint")
    is_read = isinstance(fingerprint, str) and re.fullmatch("[0-9a-f]{32}", fingerprint) is not None
    if not (
        fields.get("version") == STATE_VERSION
        and all(is_whole(fields.get(name), 0, LARGEST) for name in ("seed", "epoch", "row"))
        # Nothing stands behind a row that was never read.
        and (is_read or (fingerprint is None and fields["row"] == 0))
        and all(isinstance(fields.get(name), str) for name in ("dt", "days"))
        and isinstance(fields.get("settings"), dict)
    ):
        raise usage("this is no state of training rows", "load what state_dict() or batch.state has given")
