"""Publishes at a steady rate, and keeps the ledger."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.chaos.client import now_ms
from tests.chaos.ledger import Audience
from tests.chaos.publishers import FAILURES
from tests.chaos.users import ROOMS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from tests.chaos.ledger import Ledger, Message
    from tests.chaos.publishers import Way


class Press:
    """One publisher: one message after the other, to a room at random.

    Args:
        way: How it publishes.
        ledger: Where it notes each message.
        random: Picks rooms and moments.

    Attributes:
        audience: To whom messages are owed from now on.
    """

    def __init__(self, way: Way, ledger: Ledger, random: Random) -> None:
        self.audience = Audience.MEMBERS
        self._way = way
        self._ledger = ledger
        self._random = random
        self._turn = asyncio.Lock()

    @property
    def name(self) -> str:
        """Name of the publisher, which its messages carry."""
        return self._way.name

    async def run(self, per_s: float, rooms: Sequence[str] = ROOMS, padding: int = 0) -> None:
        """Publish until cancelled.

        Args:
            per_s: Messages a second, on average.
            padding: Bytes to add to each.
        """
        while True:
            await asyncio.sleep(self._random.uniform(0.5, 1.5) / per_s)
            async with self._turn:
                await self._send(self._random.choice(rooms), padding)

    async def publish(self, room: str) -> Message:
        """Publish one message now, also while the press is paused. Return it."""
        return await self._send(room, 0)

    async def pause(self) -> None:
        """Publish nothing from now on; wait for the call that is under way."""
        await self._turn.acquire()

    def resume(self) -> None:
        """Go on after a pause."""
        self._turn.release()

    async def _send(self, room: str, padding: int) -> Message:
        message = self._ledger.begin(self.name, room, now_ms(), self.audience)
        with contextlib.suppress(*FAILURES):
            await asyncio.to_thread(self._way.send, message, padding)
            message.returned_ms = now_ms()
        return message
