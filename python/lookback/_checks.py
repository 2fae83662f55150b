"""Checks of arguments, and the errors that more than one module raises."""

from __future__ import annotations

import operator
import os
import re
from typing import Any

from lookback.errors import Error, Refused, Usage

# The largest number of rows, days, actions, ranks or workers, and the largest seed, epoch or row.
MOST = (1 << 31) - 1
LARGEST = (1 << 63) - 1


def is_whole(value: object, least: int = 1, most: int = MOST) -> bool:
    """Whether a value is an integer within bounds, and no boolean."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def whole(name: str, value: Any, least: int = 1, most: int = MOST) -> int:
    """Return an integer of Python for one of any kind, such as numpy's. Fails if it is none, or out of bounds."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or not is_whole(number, least, most):
        raise usage(f"there is no {name} {value!r}", f"give an integer from {least} to {most}")
    return number


def from_environment(name: str, default: int, least: int) -> int:
    """Return a number that a launcher has set in the environment."""
    text = os.environ.get(name, str(default))
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) < least:
        raise usage(f"the environment has {name}={text!r}", f"set it to an integer from {least} on, or unset it")
    return int(text)


def changed() -> Error:
    """Return the error for an iteration that would pass over what was asked for since it began."""
    return refused(
        "a state was loaded or an epoch set while this iteration ran",
        "iterate anew: the new iteration begins where it was asked to",
    )


def usage(what: str, remedy: str) -> Error:
    """Return the error for arguments that make no sense."""
    return Usage(f"{what}; {remedy}", what, remedy)


def refused(what: str, remedy: str) -> Error:
    """Return the error for what would break a guarantee."""
    return Refused(f"{what}; {remedy}", what, remedy)
