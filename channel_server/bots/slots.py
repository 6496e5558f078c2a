"""How many requests are under way at a time: who fails, or is slow, takes no place from the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from channel_server.bots.memory import Memory

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

PER_HOST: Final = 16
_GOOD: Final = 128
_NEW: Final = 64
_FAILING: Final = 32
_FAILING_FOR_S: Final = 300.0
_GOOD_FOR_S: Final = 24 * 3600.0
_SLOW_S: Final = 3.0
_MAX_HOSTS: Final = 10_000


class Slots:
    """Places for requests: most for hosts that answer, some for new ones, few for those that fail.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._good = asyncio.Semaphore(_GOOD)
        self._new = asyncio.Semaphore(_NEW)
        self._failing = asyncio.Semaphore(_FAILING)
        self._of_host: dict[str, asyncio.Semaphore] = {}
        self._users = Counter[str]()
        self._good_hosts = Memory[str](_MAX_HOSTS, _GOOD_FOR_S, clock)
        self._failing_hosts = Memory[str](_MAX_HOSTS, _FAILING_FOR_S, clock)

    @contextlib.asynccontextmanager
    async def take(self, server: str) -> AsyncIterator[None]:
        """Have a place for the time of the block."""
        host = _host_of(server)
        own = self._of_host.setdefault(host, asyncio.Semaphore(PER_HOST))
        self._users[host] += 1
        try:
            async with own, self._places_for(host):
                yield
        finally:
            self._users[host] -= 1
            if not self._users[host]:
                del self._users[host], self._of_host[host]

    @contextlib.contextmanager
    def timed(self, server: str) -> Iterator[None]:
        """Note a server as failing that takes its time over the block, whatever it answers."""
        began_s = self._clock()
        try:
            yield
        finally:
            if self._clock() - began_s > _SLOW_S:
                self.failed(server)

    def failed(self, server: str) -> None:
        """A server did not answer, or not soon."""
        self._failing_hosts.put(_host_of(server), "failing")

    def worked(self, server: str) -> None:
        """A server has taken a message."""
        self._failing_hosts.forget(_host_of(server))
        self._good_hosts.put(_host_of(server), "good")

    def _places_for(self, host: str) -> asyncio.Semaphore:
        if self._failing_hosts.get(host) is not None:
            return self._failing
        return self._new if self._good_hosts.get(host) is None else self._good


def _host_of(server: str) -> str:
    return urlsplit(server).hostname or ""
