"""Until when the call under way may take: one time for all that it waits for."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import Any, Final

_LEAST_S: Final = 0.001
"""A socket's time-out of 0 would mean that it does not wait at all."""

_ends: ContextVar[float | None] = ContextVar("ends", default=None)


def begin(seconds: float | None) -> None:
    """A call begins, which may take so long; None: somebody else sees to that."""
    _ends.set(None if seconds is None else time.monotonic() + seconds)


def left_s() -> float | None:
    """Seconds that are left; a moment at least, so that what comes at once is read.

    None where nobody has begun a call, or somebody else sees to its time.
    """
    ends = _ends.get()
    if ends is None:
        return None
    left = ends - time.monotonic()
    return left if left > _LEAST_S else _LEAST_S  # noqa: FURB136 - max() takes twice as long


def share_s(*, is_repeatable: bool) -> float | None:
    """Seconds for one command of the call: a half of what is left if it may be repeated then.

    So a connection that has died without a word costs one attempt, not the whole call.
    """
    left = left_s()
    return left / 2 if left is not None and is_repeatable else left


def bounded(name: str) -> property:
    """In place of a time-out of redis-py's: as it was set, but no longer than the call may take."""

    def get(owner: Any) -> float | None:
        most, left = owner.__dict__.get(name), left_s()
        return most if left is None else left if most is None else min(most, left)

    def put(owner: Any, seconds: float | None) -> None:
        owner.__dict__[name] = seconds

    return property(get, put)


def _left_s_of(_: object) -> float | None:
    return left_s()


def _ignore(owner: object, seconds: object) -> None:
    del owner, seconds


LEFT: Final = property(_left_s_of, _ignore)
"""In place of a time-out of redis-py's: what is left of the call."""
