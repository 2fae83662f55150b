"""One pass over training rows, and where it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
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

    It begins with the first batch that is asked for: until then a state can still be loaded.
    """

    def __init__(self, rows: Rows, worker: Worker) -> None:
        self._rows = rows
        self._worker = worker
        self._changes: Optional[int] = None
        # Where the batches are counted from, and which of them is this worker's next one. Workers take turns over all
        # days: each has every so-many-th global batch.
        self._begin = rows._begin
        self._next = worker.worker
        self._batches: Optional[Iterator[tuple[_native.Batch, State]]] = None
        self._process = os.getpid()

    def __iter__(self) -> Iteration:
        return self

    def has_begun(self) -> bool:
        """Whether a batch was asked for."""
        return self._batches is not None

    def __next__(self) -> tuple[_native.Batch, State]:
        rows = self._rows
        if self._batches is None:
            rows._shared_by = self._worker.workers
            if self._changes is None:
                self._begin, self._changes = rows._begin, rows._changes
                # The next iteration is a whole epoch.
                rows._begin = Position(self._begin.epoch, self._begin.seed, 0, 0, None)
                rows._behind = rows.state_at(self._begin)
            self._batches = self._all()
        if self._changes != rows._changes:
            self._batches = iter(())
            raise changed()
        batch, state = next(self._batches)
        rows._behind = state
        return batch, state

    def _all(self) -> Iterator[tuple[_native.Batch, State]]:
        rows, (rank, world_size, worker, workers) = self._rows, self._worker
        by_actions = rows._cut["batch_actions_max"] is not None
        try:
            for day in range(self._begin.day, len(rows._days)):
                if day != self._begin.day:
                    self._begin = Position(*self._begin[:2], day, 0, None)
                prepared = rows.day(self._begin)
                self._begin = begin = self._begin._replace(fingerprint=prepared.fingerprint)
                of_day = prepared.count(begin.epoch, rows.cut(begin.row, Worker(rank, world_size)), Reporter())
                if self._next >= of_day:
                    self._next -= of_day
                    continue
                if by_actions:
                    # Only the histories tell where batches begin: those before are made, and left.
                    first_row, turn, leave = begin.row, self._next % workers, self._next // workers
                else:
                    first_row, turn, leave = begin.row + self._next * rows._cut["batch_size"] * world_size, 0, 0
                cut = rows.cut(first_row, Worker(rank, world_size, turn, workers))
                batches = prepared.batches(begin.epoch, cut, Reporter())
                try:
                    # Not by enumerate, which keeps a batch while the next one is asked for, so that its memory cannot
                    # be used again.
                    while (batch := next(batches, None)) is not None:
                        if leave:
                            leave -= 1
                            continue
                        self._next += workers
                        yield batch, rows.state_at(begin._replace(row=batch.next_row))
                        del batch
                finally:
                    # A forked process has no part in what its parent reads.
                    if self._process == os.getpid():
                        batches.close()
                self._next -= of_day
        finally:
            # Nothing works in the background once nobody iterates.
            rows._prepared.stop()

    def state_dict(self) -> State:
        """Return where this worker's iteration stands, for loaders that keep a state for each worker."""
        begin = self._begin if self._changes is not None else self._rows._begin
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
                "use workers, world_size, batch_size and batch_actions_max as before, or load batch.state into the rows",
            )
        self._begin, self._next, self._changes = begin, state["next"], self._rows._changes
        self._rows._begin = Position(begin.epoch, begin.seed, 0, 0, None)
        self._batches = None


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
