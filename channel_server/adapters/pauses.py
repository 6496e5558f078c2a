"""How long to wait before the next attempt to reach Redis."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_S: Final = 0.05
_LONGEST_S: Final = 1.0
_MAX_DOUBLINGS: Final = 10


class Pauses:
    """Back-off that doubles from 50 ms to 1 s, each pause between half and the whole of it.

    Shared by all connections to one Redis: when one of them stands, the others wait no longer.
    Found with a Redis that was restarted: messages were heard and could not be looked for in the
    journal for seconds.

    Args:
        random: 0.0 to 1.0; keeps many servers from returning in the same moment.
    """

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._waiting: set[asyncio.Future[None]] = set()

    def seconds(self, attempt: int) -> float:
        """Length of the pause before the attempt with this number (1, 2, …)."""
        longest = min(_FIRST_S * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), _LONGEST_S)
        return longest * (0.5 + self._random() / 2)

    async def wait(
        self, attempt: int, *, at_most_s: float = _LONGEST_S, is_away: bool = True
    ) -> None:
        """Wait, until another connection stands at the latest.

        Args:
            attempt: Number of the attempt to come.
            at_most_s: No longer than this.
            is_away: Redis could not be reached. If it could, and the connection was of no use, it
                is no news that another one stands: two of them would wake each other for ever.
        """
        pause_s = min(self.seconds(attempt), at_most_s)
        if not is_away:
            await asyncio.sleep(pause_s)
            return
        news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            await asyncio.wait({news}, timeout=pause_s)
        finally:
            self._waiting.discard(news)

    def end(self) -> None:
        """A connection stands."""
        waiting, self._waiting = self._waiting, set()
        for news in waiting:
            news.set_result(None)
