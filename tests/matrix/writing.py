"""A bot that writes to homeservers from within a test: its clocks stand still until they are set."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from channel_server.adapters.guarded_http import GuardedHttp
from channel_server.bots.homeserver import Homeservers

if TYPE_CHECKING:
    from channel_server.bots.messages import Bot

NOON: Final = datetime(1994, 11, 6, 12, tzinfo=UTC)


class Writing:
    """What a relay has for its requests, without Redis. A context manager.

    Args:
        bot: Who writes, if nobody else is named.

    Attributes:
        now_s: Monotonic seconds. The date is always ``NOON``.
    """

    def __init__(self, bot: Bot) -> None:
        self.now_s = 0.0
        self._bot = bot
        self._http = GuardedHttp(frozenset({"127.0.0.1"}), timeout_s=10.0)
        self._homeservers = Homeservers(
            self._http, joins=True, clock=lambda: self.now_s, now=lambda: NOON
        )
        self._number = 0

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.__aexit__(None, None, None)

    async def write(self, room: str, text: str, *, bot: Bot | None = None) -> None:
        """Send a message, once."""
        self._number += 1
        content = {"msgtype": "m.notice", "body": text}
        await self._homeservers.send(bot or self._bot, room, content, f"{self._number}")
