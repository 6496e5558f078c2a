"""Without Redis' stream: no journal at all, or one in this process alone, as the Node program has it."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from channel_server.core.offsets import id_of, position_at
from publisher.contract.journal import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal import Tail
    from channel_server.core.offsets import Offset
    from channel_server.live.intake import Intake

_EPOCH_BYTES: Final = 6


class NoJournal:
    """What is heard is delivered; ``journaling.Journaling`` says what the methods are for.

    Args:
        intake: Delivers.
    """

    is_settled = True
    is_doubtful = False
    trouble = ""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.whole = asyncio.Event()
        self.whole.set()
        self.secret = secrets.token_bytes(16)

    def heard(self, channel: str, payload: bytes) -> int:
        """Deliver a message from the subscription; return the bytes written. Never raises."""
        message = self._intake.read((channel, payload.removesuffix(MARK)))
        return 0 if message is None else self._intake.deliver(message)

    def proven(self, sent_at_s: float) -> None:
        """Nothing waits for a proof."""

    def deaf(self) -> None:
        """Nobody claims to recover."""

    async def reach(self, offset: Offset) -> None:
        """There is nothing to read on."""

    def start(self, group: asyncio.TaskGroup, feed: object) -> list[asyncio.Task[None]]:
        """Nothing runs beside the subscription."""
        del group, feed
        return []

    async def stop(self) -> None:
        """Nothing is under way."""


class MemoryJournal(NoJournal):
    """Gives every message a position as it is heard: lost with the process, shared with nobody.

    Args:
        tail: What is remembered.
        intake: Delivers.
        wall_clock_ms: Milliseconds since 1970.
        max_message_bytes: What is larger is delivered, and not kept.
    """

    def __init__(
        self,
        tail: Tail,
        intake: Intake,
        wall_clock_ms: Callable[[], int],
        *,
        max_message_bytes: int,
    ) -> None:
        super().__init__(intake)
        self._max_message_bytes = max_message_bytes
        self._tail = tail
        self._wall_clock_ms = wall_clock_ms
        tail.begin(secrets.token_urlsafe(_EPOCH_BYTES), self._next())

    def heard(self, channel: str, payload: bytes) -> int:
        """Deliver a message, and keep it; return the bytes written. Never raises."""
        self._tail.trim(self._wall_clock_ms())
        message = self._intake.read((channel, payload.removesuffix(MARK)))
        if message is None:
            return 0
        if len(payload) > self._max_message_bytes:
            written_bytes = self._intake.pass_over(message, (channel, payload))
            self._tail.gap(self._next())
            return written_bytes
        position = self._next()
        return self._intake.keep(message, position, id_of(position).encode())

    def deaf(self) -> None:
        """The subscription is lost: messages may be missing from here on."""
        self._tail.gap(self._next())

    def _next(self) -> int:
        now = position_at(self._wall_clock_ms())
        return max(now, self._tail.position + 1)
