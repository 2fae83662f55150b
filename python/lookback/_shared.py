"""What a dataset shares with its workers."""

from __future__ import annotations

import os
import struct
from typing import Any

import torch

from lookback._checks import usage
from lookback._iteration import Position, State
from lookback._shared_days import SharedDays
from lookback.rows import Rows


class Shared:
    """Where iterations begin and which days are prepared, as a dataset shares it with its workers, however they were
    started.

    It is memory without a name in the system, and is gone with the last process that uses it.
    """

    # Epoch, seed, day, row, whether there is a fingerprint, its two halves, the number of changes; whether workers have
    # read since the last change, and which loader's began there; then for each of its workers whether it has.
    _POSITION = 8
    _HAS_WORKERS = 8
    _LOADER = 9
    _WORKERS = 10
    _WORKERS_MAX = 1024

    def __init__(self, days: int) -> None:
        self.days = SharedDays(days)
        shared: Any = torch.zeros(self._WORKERS + self._WORKERS_MAX, dtype=torch.int64)
        self._numbers: torch.Tensor = shared.share_memory_()
        self.process = os.getpid()

    def publish(self, rows: Rows) -> None:
        """Let the next iteration of each worker begin where the rows do."""
        begin = rows._begin
        halves = struct.unpack("<qq", bytes.fromhex(begin.fingerprint)) if begin.fingerprint else (0, 0)
        numbers = [*begin[:4], int(begin.fingerprint is not None), *halves, rows._changes]
        self._numbers[: self._POSITION] = torch.tensor(numbers, dtype=torch.int64)
        self._numbers[self._POSITION :] = 0

    def take(self, rows: Rows, loader: int, worker: int) -> None:
        """In a worker: let the rows begin where they were asked to; if that was done before, with the whole epoch.

        The workers of one loader share the rows of an iteration: those of another loader begin the epoch.
        """
        if worker >= self._WORKERS_MAX:
            raise usage(f"there is a worker {worker}", f"use at most {self._WORKERS_MAX} workers")
        numbers = self._numbers
        epoch, seed, day, row, has_fingerprint, first, second, changes = numbers[: self._POSITION].tolist()
        if not int(numbers[self._LOADER]):
            numbers[self._LOADER] = loader
        is_first = int(numbers[self._LOADER]) == loader and not int(numbers[self._WORKERS + worker])
        fingerprint = struct.pack("<qq", first, second).hex() if has_fingerprint else None
        whole = Position(epoch, seed, 0, 0, None)
        rows._begin = Position(epoch, seed, day, row, fingerprint) if is_first else whole
        rows._changes = changes
        numbers[self._WORKERS + worker] = 1
        numbers[self._HAS_WORKERS] = 1

    def keep_day(self, rows: Rows, state: State) -> None:
        """In the process of the dataset: keep the day of a batch that a worker has sent."""
        slot, day, limits = rows.asked(state["dt"], state["seed"])
        self.days.keep(slot, day, limits)

    def changes(self) -> int:
        """Return how often a state was loaded or an epoch set."""
        return int(self._numbers[self._POSITION - 1])

    def has_workers(self) -> bool:
        """Return whether a worker has read since the last change."""
        return bool(self._numbers[self._HAS_WORKERS])
