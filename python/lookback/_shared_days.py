"""Prepared days that the worker processes of a dataset share: one of them prepares a day, and all read it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from typing import Any, Optional

from lookback import _native
from lookback._types import Limits

# How often a process that waits for a day looks whether it is there.
_LOOK_SECONDS = 0.002

# The bytes that say which process has a day open.
_SLOT_BYTES = 512


class SharedDays:
    """The days of a dataset, for its workers, however they were started.

    A file in memory without a name, which the process of the dataset has open (the board), has a slot for each day. It
    says which process has that day open, and where. Whoever looks there or prepares the day has the slot locked, and
    the others wait; the lock goes with the process that holds it. So nothing is left of a killed process, and the next
    one prepares the day anew.

    Of one or two days, the process of the dataset keeps what its workers have prepared, so that those of the next epoch
    find it.
    """

    # As many as one process holds for itself.
    _KEPT_MAX = 2

    def __init__(self, days: int) -> None:
        self._board = _native.Board()
        self._place = (os.getpid(), self._board.descriptor, *_identity(self._board.descriptor))
        self._keeps = days <= self._KEPT_MAX
        self._kept: dict[int, tuple[str, _native.Day]] = {}

    def __getstate__(self) -> dict[str, Any]:
        # A worker finds the board, and opens days for itself.
        return {"_place": self._place, "_keeps": False, "_kept": {}}

    def get(
        self,
        slot: int,
        day: str,
        prepare: Callable[[Limits], _native.Day],
        of_all: Limits,
        own: Limits,
        stop: _native.Stop,
    ) -> _native.Day:
        """Return the day of a slot: as a process of the dataset has it, or prepared within what all workers may use.

        It is read within what is this worker's own.
        """
        board = self._open()
        if board is None:
            return prepare(own)
        try:
            while not _native.lock(board, slot * _SLOT_BYTES, _SLOT_BYTES):
                stop.check()
                time.sleep(_LOOK_SECONDS)
            found = self._find(board, slot, day, own)
            if found is None:
                found = prepare(of_all).share(own)
                self._tell(board, slot, day, found)
            return found
        finally:
            os.close(board)

    def keep(self, slot: int, day: str, limits: Limits) -> None:
        """In the process of the dataset: keep a day that a worker reads, unless it is locked just now."""
        if not self._keeps or self._kept.get(slot, ("",))[0] == day:
            return
        board = self._open()
        if board is None:
            return
        try:
            if _native.lock(board, slot * _SLOT_BYTES, _SLOT_BYTES):
                found = self._find(board, slot, day, limits)
                if found is not None:
                    self._kept[slot] = (day, found)
                    self._tell(board, slot, day, found)
        finally:
            os.close(board)

    def _open(self) -> Optional[int]:
        """Open the board for itself, as locks need it. None if the system does not allow it."""
        process, descriptor, *identity = self._place
        try:
            board = os.open(f"/proc/{process}/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        if _identity(board) == tuple(identity):
            return board
        os.close(board)
        return None

    def _find(self, board: int, slot: int, day: str, limits: Limits) -> Optional[_native.Day]:
        text = os.pread(board, _SLOT_BYTES, slot * _SLOT_BYTES).rstrip(b"\0")
        known, process, places = json.loads(text) if text else (None, 0, [])
        return _native.shared_day(process, [tuple(place) for place in places], limits) if known == day else None

    def _tell(self, board: int, slot: int, day: str, found: _native.Day) -> None:
        text = json.dumps([day, os.getpid(), found.places()]).encode()
        assert len(text) <= _SLOT_BYTES, "a slot has room for a process and the numbers of its files"
        os.pwrite(board, text.ljust(_SLOT_BYTES, b"\0"), slot * _SLOT_BYTES)


def _identity(descriptor: int) -> tuple[int, int]:
    found = os.fstat(descriptor)
    return found.st_dev, found.st_ino
