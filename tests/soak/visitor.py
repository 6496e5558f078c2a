"""One user with one page open: what it says, and what it remembers."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import orjson

from tests.chaos.session import Session
from tests.chaos.tcp import Lost

if TYPE_CHECKING:
    from tests.chaos.wire import Wire


class Visitor:
    """A client, from one connection to the next.

    Args:
        user_id: 0 for a stranger.
        token: Channel token.

    Attributes:
        user_id, token: As given.
        heard: Events so far; whoever has counted them sets it back to 0.
        has_recovered: It had missed nothing when it came back.
    """

    def __init__(self, user_id: int, token: str) -> None:
        self.user_id = user_id
        self.token = token
        self.heard = 0
        self.has_recovered = False
        self._session = Session()

    async def join(self, wire: Wire) -> None:
        """Connect to the main namespace."""
        await wire.send(self._session.connect_packet())
        while not (packet := await wire.receive()).startswith("40"):
            await self._take(wire, packet)
        self.has_recovered = self._session.resume(orjson.loads(packet[2:]).get("pid"))

    async def stay(self, wire: Wire, seconds: float) -> None:
        """Listen for a while.

        Nothing can be read from the wire afterwards: it may have ended in the middle of a frame.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    await self._take(wire, await wire.receive())

    async def _take(self, wire: Wire, packet: str) -> None:
        if packet.startswith("42"):
            self.heard += 1
            self._session.take(orjson.loads(packet[2:]))
        elif packet == "2":
            await wire.send("3")
        elif packet != "6":
            raise Lost(f"packet {packet[:2]!r}")
