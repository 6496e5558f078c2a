"""What stands between clients and nodes: it cuts lines, stays away for a while, picks a node."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random

    from tests.chaos.pace import Pace


class Network:
    """The way from all clients to all nodes.

    Args:
        ports: Of the nodes. A client takes one at random for each attempt, whether or not it is
            up: there is no proxy that knows.
        pace: How often it cuts, and for how long it is away.
        half_open: Share of the cuts that the server is not told of.
        random: Decides everything.
        cuts: Whether it cuts lines at all.

    Attributes:
        pace: As given.
        random: As given.
        waiting: Clients that wait for ``open``.
    """

    def __init__(
        self,
        ports: Sequence[int],
        *,
        pace: Pace,
        half_open: float,
        random: Random,
        cuts: bool = True,
    ) -> None:
        self.pace = pace
        self.random = random
        self.waiting = 0
        self._ports = ports
        self._half_open = half_open
        self._calm = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        if not cuts:
            self._calm.set()

    def port(self) -> int:
        """Where the next attempt goes."""
        return self.random.choice(self._ports)

    def cut_later(self, cut: Callable[[bool], None]) -> asyncio.TimerHandle:
        """Cut one line after a while, unless the network is calm by then. Cancel the result.

        Args:
            cut: Called with whether the server is told.
        """

        def fall() -> None:
            if not self._calm.is_set():
                cut(self.random.random() >= self._half_open)

        in_s = self.pace.cut_in_s(self.random)
        return asyncio.get_running_loop().call_later(in_s, fall)

    async def back(self) -> None:
        """Wait until the network is back after a cut: at once if it is calm."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.pace.back_in_s(self.random)):
                await self._calm.wait()

    def calm_down(self, ports: Sequence[int]) -> None:
        """Cut no more, be there for everybody, and lead only to these ports."""
        self._ports = ports
        self._calm.set()

    def close(self) -> None:
        """Hold all attempts from now on, until ``open``."""
        self._open.clear()

    def open(self) -> None:
        """Let all attempts go at once."""
        self._open.set()

    async def passage(self) -> None:
        """Wait until attempts may be made."""
        self.waiting += 1
        await self._open.wait()
        self.waiting -= 1
