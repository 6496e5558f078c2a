"""A journal in this process alone, as the Node program has one: lost with it, shared with nobody."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from channel_server.core.offsets import id_of, position_at
from publisher.contract.journal import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal import Tail
    from channel_server.live.intake import Intake

_EPOCH_BYTES: Final = 6


class MemoryJournal:
    """Gives every message a position as it is heard.

    Args:
        tail: What is remembered.
        intake: Delivers.
        wall_clock_ms: Milliseconds since 1970.
    """

    def __init__(self, tail: Tail, intake: Intake, wall_clock_ms: Callable[[], int]) -> None:
        self._tail = tail
        self._intake = intake
        self._wall_clock_ms = wall_clock_ms
        tail.begin(secrets.token_urlsafe(_EPOCH_BYTES), self._next())

    def heard(self, channel: str, payload: bytes) -> int:
        """Deliver a message from the subscription. Never raises.

        Returns:
            Bytes written to clients.
        """
        self._tail.trim(self._wall_clock_ms())
        message = self._intake.read((channel, payload.removesuffix(MARK)))
        if message is None:
            return 0
        position = self._next()
        return self._intake.keep(message, position, id_of(position).encode())

    def deaf(self) -> None:
        """The subscription is lost: messages may be missing from here on."""
        self._tail.gap(self._next())

    def _next(self) -> int:
        now = position_at(self._wall_clock_ms())
        return max(now, self._tail.position + 1)
