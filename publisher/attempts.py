"""When to try again to connect to Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from publisher.deadline import left_s
from publisher.errors import RedisUnavailable

if TYPE_CHECKING:
    from publisher.errors import PublishError

PAUSES_S: Final = (0.05, 0.2)
"""Seconds to wait after the first and the second failure. The third one is final."""


class Attempts:
    """The attempts to connect for one command, of which nothing has been written yet."""

    __slots__ = ("_pauses",)

    def __init__(self) -> None:
        self._pauses = iter(PAUSES_S)

    def pause_after(self, failure: PublishError) -> float:
        """Return for how many seconds to wait before the next attempt.

        Raises:
            PublishError: The failure, if there is to be no further attempt: Redis answered, it
                was the third one, or the time of the call is up.
        """
        pause_s, left = next(self._pauses, None), left_s()
        if pause_s is None or not isinstance(failure, RedisUnavailable):
            raise failure
        if left is not None and pause_s >= left:
            raise failure
        return pause_s
