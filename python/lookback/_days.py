"""Days of training rows, prepared in the background and kept while they are used."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Optional

from lookback import _native


class PreparedDays:
    """The prepared days of one process.

    At most two are held: the one that is read and the one that comes next. So are two days that take turns over the
    epochs; of more days each is read from the store again in every epoch.

    Prepared days belong to the process that prepared them. A forked process begins without any.
    """

    def __init__(self, prepare: Callable[[str, _native.Stop], _native.Day]) -> None:
        self._prepare = prepare
        self._process = os.getpid()
        self._held: dict[str, _Preparing] = {}

    def get(self, day: str, following: Optional[str]) -> _native.Day:
        """Return a day, which is waited for, and begin to prepare the following one in the background."""
        self._check_process()
        for other in [held for held in self._held if held not in (day, following)]:
            self._held.pop(other).stop()
        if day not in self._held:
            # On this thread, where Ctrl-C ends it.
            self._held[day] = _Preparing(self._prepare, day, in_background=False)
        try:
            prepared = self._held[day].result()
        except BaseException:
            # Asked again, it is tried again.
            self._held.pop(day).stop()
            raise
        if following is not None and following not in self._held:
            self._held[following] = _Preparing(self._prepare, following, in_background=True)
        return prepared

    def stop(self) -> None:
        """Stop preparing in the background; what is prepared stays."""
        self._check_process()
        for day in [day for day, held in self._held.items() if not held.is_done()]:
            self._held.pop(day).stop()

    def _check_process(self) -> None:
        if self._process != os.getpid():
            self._process, self._held = os.getpid(), {}


class _Preparing:
    """A day that is being prepared, or was."""

    def __init__(self, prepare: Callable[[str, _native.Stop], _native.Day], day: str, in_background: bool) -> None:
        self._stop = _native.Stop()
        self._done: Optional[_native.Day] = None
        self._failed: Optional[BaseException] = None
        self._thread: Optional[threading.Thread] = None

        def work() -> None:
            try:
                self._done = prepare(day, self._stop)
            except BaseException as error:
                self._failed = error

        if in_background:
            self._thread = threading.Thread(target=work, name=f"lookback {day}")
            self._thread.start()
        else:
            work()

    def result(self) -> _native.Day:
        while self._thread is not None and self._thread.is_alive():
            # In pieces, so that Ctrl-C is noticed.
            self._thread.join(0.1)
        if self._failed is not None:
            raise self._failed
        assert self._done is not None
        return self._done

    def is_done(self) -> bool:
        return self._done is not None

    def stop(self) -> None:
        self._stop.stop()
        if self._thread is not None:
            self._thread.join()

    def __del__(self) -> Any:
        self._stop.stop()
