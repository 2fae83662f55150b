"""What running work tells the caller: progress as events, and notes as log lines."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, NamedTuple, Optional, Union

_log = logging.getLogger("lookback")


class ProgressEvent(NamedTuple):
    """Where running work stands. A ``progress`` callback takes one of these at a time.

    Attributes:
        item: what the phase belongs to, such as ``"ingest 2026-01-02"``; ``None`` if the work has one part only.
        phase: the name of the running phase, such as ``"reading"``.
        unit: what is counted, such as ``"bytes"`` or ``"rows"``; empty for a phase of one step.
        done: how many are done.
        total: how many there are, where that is known.
    """

    item: Optional[str]
    phase: str
    unit: str
    done: int
    total: Optional[int]


# A function that takes each event; True for bars of tqdm; None for no progress.
Progress = Union[Callable[[ProgressEvent], object], bool, None]


# What runs the tasks of a command on a sharded store: a function of the tasks, as JSON, that returns their answers.
Engine = Callable[[str], list[str]]


class Reporter:
    """Passes on what the work reports: progress to the callback, notes to the logger ``lookback``, tasks to the engine.

    It is called on the caller's thread, some twenty times a second; what it raises ends the work.
    """

    def __init__(self, progress: Progress = None, engine: Optional[Engine] = None) -> None:
        self._engine = engine
        if progress is True:
            progress = _Bars()
        self._progress = progress if callable(progress) else None
        self._event = ProgressEvent(None, "", "", 0, None)

    def __call__(self, name: str, first: Any, second: Any, third: Any) -> object:
        if name == "run":
            return self._engine(first) if self._engine else None
        if name == "note":
            _log.warning("%s", first)
            return None
        event = self._event
        if name == "item":
            self._event = event._replace(item=first, phase="", unit="", done=0, total=None)
            return None
        if name == "end_items":
            self._event = event._replace(item=None)
            return None
        if name == "begin":
            event = event._replace(phase=first, unit=second, done=0, total=third)
        else:
            event = event._replace(done=event.done + second)
        self._event = event
        if self._progress is not None:
            self._progress(event)
        return None

    def close(self) -> None:
        """End what shows the progress."""
        if isinstance(self._progress, _Bars):
            self._progress.close()


class _Bars:
    """A bar of tqdm for each phase."""

    def __init__(self) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError("progress=True shows bars of tqdm: pip install tqdm, or pass a function") from error
        self._tqdm = tqdm
        self._bar: Any = None
        self._of: Optional[tuple[Optional[str], str]] = None

    def __call__(self, event: ProgressEvent) -> None:
        if self._of != (event.item, event.phase) or event.done == 0:
            self.close()
            name = f"{event.item}: {event.phase}" if event.item else event.phase
            self._bar = self._tqdm(desc=name, total=event.total, unit=event.unit, unit_scale=True)
            self._of = (event.item, event.phase)
        self._bar.update(event.done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
