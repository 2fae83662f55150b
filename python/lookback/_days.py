"""Days of training rows, prepared in the background and kept while they are used."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from typing import Optional

from lookback import _native
from lookback.errors import Cancelled

# Prepares the day of a name, until it is stopped.
Prepare = Callable[[str, _native.Stop], _native.Day]


class PreparedDays:
    """The prepared days of one process.

    At most two are held: the one that is read and the one that comes next. So are two days that take turns over the
    epochs; of more days each is read from the store again in every epoch. Iterations in several threads share them; if
    they read different days, each has its own beside these.

    Prepared days belong to the process that prepared them. A forked process begins without any.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._held: dict[str, _Preparing] = {}
        # Those that were stopped, and may not have ended yet.
        self._leaving: list[_Preparing] = []

    def get(self, day: str, following: Optional[str], prepare: Prepare) -> _native.Day:
        """Return a day, which is waited for, and begin to prepare the following one in the background."""
        self._check_process()
        prepared = None
        while prepared is None:
            self._wait_for_leaving()
            with self._lock:
                dropped = [self._held.pop(other) for other in list(self._held) if other not in (day, following)]
                is_own = day not in self._held
                held = self._held.setdefault(day, _Preparing(prepare, day))
                held.waiting += 1
                for other in dropped:
                    other.stop_unless_waited_for()
            for other in dropped:
                # Its memory goes back first.
                other.wait_if_stopped()
            try:
                if is_own:
                    # On this thread, where Ctrl-C ends it and progress is reported.
                    held.work()
                prepared = held.result()
            except (Cancelled, KeyboardInterrupt) as error:
                # Another thread may have been interrupted or have stopped it: then this one prepares it.
                if is_own or not held.failed_by(error):
                    raise
            finally:
                with self._lock:
                    held.waiting -= 1
                    is_over = prepared is None and (held.is_over() or held.waiting == 0)
                    if is_over and self._held.get(day) is held:
                        # Asked again, it is tried again.
                        del self._held[day]
                if is_over:
                    held.stop()
        with self._lock:
            if following is not None and following not in self._held:
                self._held[following] = _Preparing(prepare, following)
                self._held[following].start()
        return prepared

    def stop(self) -> None:
        """Ask what is prepared in the background to stop; what is prepared or waited for stays.

        It waits for nothing, not even the lock: the garbage collector may call it anywhere, on any thread.
        """
        self._check_process()
        if not self._lock.acquire(blocking=False):
            return
        try:
            for day, held in list(self._held.items()):
                if not held.is_over() and not held.waiting:
                    del self._held[day]
                    held.ask_to_stop()
                    self._leaving.append(held)
        finally:
            self._lock.release()

    def _wait_for_leaving(self) -> None:
        # Their memory goes back before another day takes it.
        with self._lock:
            leaving, self._leaving = self._leaving, []
        for held in leaving:
            held.stop()

    def _check_process(self) -> None:
        # A forked process has the parent's lock, which a thread of the parent may hold.
        if self._process != os.getpid():
            self._begin()


class _Preparing:
    """A day that is being prepared, or was."""

    def __init__(self, prepare: Prepare, day: str) -> None:
        # Until it was called: it leads to the rows, which lead here.
        self._prepare: Optional[Prepare] = prepare
        self._day = day
        self._stop = _native.Stop()
        self._is_stopped = False
        self._over = threading.Event()
        self._done: Optional[_native.Day] = None
        self._failed: Optional[BaseException] = None
        self._thread: Optional[threading.Thread] = None
        # How many threads wait for it; whoever counts has the lock.
        self.waiting = 0

    def work(self) -> None:
        """Prepare the day."""
        prepare, self._prepare = self._prepare, None
        assert prepare is not None, "a day is prepared once"
        try:
            self._done = prepare(self._day, self._stop)
        except Cancelled as error:
            # Its frames lead to the rows, which would stay until the garbage collector runs.
            self._failed = error.with_traceback(None)
        except BaseException as error:
            self._failed = error
        finally:
            self._over.set()

    def start(self) -> None:
        """Prepare the day in the background."""
        # The end of the process does not wait for a daemon; `_stop_all` stops it first.
        self._thread = threading.Thread(target=self.work, name=f"lookback {self._day}", daemon=True)
        _RUNNING.add(self)
        self._thread.start()

    def result(self) -> _native.Day:
        """Wait for the day. Ctrl-C is noticed."""
        self._over.wait()
        if self._failed is not None:
            raise self._failed
        assert self._done is not None
        return self._done

    def failed_by(self, error: BaseException) -> bool:
        return self._failed is error

    def is_over(self) -> bool:
        return self._over.is_set()

    def stop_unless_waited_for(self) -> None:
        # A day that is there may still be read, and what is stopped gives no more batches.
        self._is_stopped = self.waiting == 0 and not self.is_over()
        if self._is_stopped:
            self._stop.stop()

    def wait_if_stopped(self) -> None:
        if self._is_stopped and self._thread is not None:
            self._thread.join()

    def ask_to_stop(self) -> None:
        self._stop.stop()

    def stop(self) -> None:
        """Stop unless it is over, and wait until it has. Nobody may ask for it afterwards."""
        if not self.is_over():
            self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()


# Those that work in the background.
_RUNNING: weakref.WeakSet[_Preparing] = weakref.WeakSet()


def _stop_all() -> None:
    """Stop what works in the background before the interpreter ends, which would otherwise end in the midst of it."""
    for preparing in list(_RUNNING):
        preparing.stop()


atexit.register(_stop_all)
