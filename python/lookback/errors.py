"""What fails in lookback: one sentence on what and where, and what to do next."""

from __future__ import annotations

import json
from typing import Any, Optional


class Error(Exception):
    """A failure of lookback. Its text is the sentence that the command line prints: ``what; remedy``.

    Attributes:
        what: what happened, and where.
        remedy: what to do next.
        summary: the summary of a command that did its work and failed because of what it found (``audit``, ``verify``,
            ``diff``), else ``None``.

    Example:
        >>> import lookback
        >>> try:
        ...     lookback.status("no/store")
        ... except lookback.Refused as error:
        ...     print(error.what)
        there is no store at no/store
    """

    what: str
    remedy: str
    summary: Optional[dict[str, Any]]

    def __init__(self, message: str, what: str = "", remedy: str = "", summary: str = "") -> None:
        # All of them are arguments of the exception, so that it survives pickling.
        super().__init__(message, what, remedy, summary)
        self.what = what or message
        self.remedy = remedy
        self.summary = json.loads(summary) if summary else None

    def __str__(self) -> str:
        return str(self.args[0])


class Usage(Error):
    """The call makes no sense: change its arguments."""


class Input(Error):
    """An input or its content violates the contract: fix the input."""


class Refused(Error):
    """The request makes sense but would break a guarantee: first do what the message says."""


class Different(Error):
    """The compared data differs, which the call was asked to check: look at what the message names."""


class Busy(Error):
    """Another process holds the resource: wait, or end that process."""


class Io(Error):
    """The operating system refused: disk, permissions, a missing path."""


class Corrupt(Error):
    """A store or partition holds what lookback never wrote: restore it, or produce it again."""


class Cancelled(Error):
    """The work was asked to stop: call again to continue."""


class Internal(Error):
    """A bug in lookback, which stopped before doing harm: report it."""
