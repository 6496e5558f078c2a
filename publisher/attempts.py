"""When to try again to connect to Redis. Pure but for the clock, which is an argument."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from publisher.errors import RedisUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from publisher.errors import PublishError

PAUSES_S: Final = (0.05, 0.2)
"""Seconds to wait after the first and the second failure. The third one is final."""


class Attempts:
    """The attempts to connect for one command, of which nothing has been written yet.

    Args:
        budget_s: Seconds after which no further attempt begins.
        clock: Seconds from any point in time, never going back.
    """

    __slots__ = ("_clock", "_deadline", "_pauses")

    def __init__(self, budget_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._deadline = clock() + budget_s
        self._pauses = iter(PAUSES_S)

    def pause_after(self, failure: PublishError) -> float:
        """Return for how many seconds to wait before the next attempt.

        Raises:
            PublishError: The failure, if there is to be no further attempt: Redis answered, it
                was the third one, or the time is up.
        """
        pause_s = next(self._pauses, None)
        if pause_s is None or not isinstance(failure, RedisUnavailable):
            raise failure
        if self._clock() + pause_s > self._deadline:
            raise failure
        return pause_s
