"""How many requests are under way at a time: a server that fails takes no place from the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

PER_SERVER: Final = 32
_FRESH: Final = 128
_FAILING: Final = 32
_FAILING_FOR_S: Final = 300.0
_MAX_SERVERS: Final = 10_000


class Slots:
    """Places for requests: some for servers that have failed of late, more for all others.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._fresh = asyncio.Semaphore(_FRESH)
        self._failing = asyncio.Semaphore(_FAILING)
        self._of_server: dict[str, asyncio.Semaphore] = {}
        self._users = Counter[str]()
        self._failed_at_s: dict[str, float] = {}

    @contextlib.asynccontextmanager
    async def take(self, server: str) -> AsyncIterator[None]:
        """Have a place for the time of the block."""
        own = self._of_server.setdefault(server, asyncio.Semaphore(PER_SERVER))
        self._users[server] += 1
        try:
            async with own, self._failing if self._is_failing(server) else self._fresh:
                yield
        finally:
            self._users[server] -= 1
            if not self._users[server]:
                del self._users[server], self._of_server[server]

    def failed(self, server: str) -> None:
        """A server did not answer."""
        self._failed_at_s.pop(server, None)
        self._failed_at_s[server] = self._clock()
        if len(self._failed_at_s) > _MAX_SERVERS:
            del self._failed_at_s[next(iter(self._failed_at_s))]

    def worked(self, server: str) -> None:
        """A server has answered."""
        self._failed_at_s.pop(server, None)

    def _is_failing(self, server: str) -> bool:
        failed_at_s = self._failed_at_s.get(server, float("-inf"))
        return self._clock() - failed_at_s < _FAILING_FOR_S
