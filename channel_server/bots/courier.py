"""One attempt to deliver a message that waits, and what follows from it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from channel_server.bots.memory import Memory
from channel_server.bots.messages import BotMessage, read
from channel_server.errors import MalformedMessage, MatrixBusy, MatrixRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.adapters.outbox import Entry
    from channel_server.bots.homeserver import Homeservers
    from channel_server.bots.slots import Slots
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_LONGEST_S: Final = 60.0
_MAX_DOUBLINGS: Final = 6
_SPREAD: Final = 0.2
_COMPLAINTS: Final = 1000
_SILENT_S: Final = 3600.0
_MS: Final = 1000
_BUSY: Final = "busy"
_SHORT: Final = 1000
"""Read as text in 1 ms as a rule, and in 5 at worst (``plain_text("<p>x" * 250)``). Longer HTML takes
a thread, one at a time, and live updates have their turns meanwhile.
"""


class Courier:
    """Delivers, and says once what is wrong with whom: never with which words, or by which token.

    Args:
        homeservers: Where messages go.
        slots: How many requests are under way.
        max_age_s: What is older is not delivered any more.
        metrics: Counts.
        clock: Monotonic seconds.
        random: 0.0 to 1.0; keeps bots that were refused together from returning together.
    """

    def __init__(
        self,
        homeservers: Homeservers,
        slots: Slots,
        *,
        max_age_s: int,
        metrics: Metrics,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._homeservers = homeservers
        self._slots = slots
        self._max_age_s = max_age_s
        self._metrics = metrics
        self._random = random
        self._reading = asyncio.Lock()
        self._said = Memory[tuple[str, str, str]](_COMPLAINTS, _SILENT_S, clock)

    async def attempt(self, entry: Entry, now_ms: Callable[[], int], number: int) -> float | None:
        """Try to deliver a message.

        Args:
            entry: As it stands in the outbox.
            now_ms: The clock of Redis.
            number: 1 for the first attempt.

        Returns:
            Seconds until the next attempt; None if there is to be none: the message was sent, or
            never will be. Raises nothing.
        """
        try:
            message = read(entry.channel, entry.payload)
            async with self._slots.take(message.bot.server):
                # Only now: it may have waited for its turn.
                if now_ms() - entry.at_ms > self._max_age_s * _MS:
                    self._expired(message)
                    return None
                return await self._send(message, entry.id, number)
        except MalformedMessage:
            self.unreadable()
        except Exception as error:  # noqa: BLE001 - a bug must not stop the others
            self._metrics.bots_refused += 1
            log.error("bot message failed", extra={"error": type(error).__name__})  # noqa: TRY400 - a traceback may quote it
        return None

    async def _send(self, message: BotMessage, transaction: str, number: int) -> float | None:
        bot, room = message.bot, message.room
        try:
            content = await self._content_of(message)
            with self._slots.timed(bot.server):
                await self._homeservers.send(bot, room, content, transaction)
        except MatrixRefused as error:
            self._metrics.bots_refused += 1
            if self._said.is_news((bot.server, room, error.code)):
                log.warning(
                    "bot message refused",
                    extra={
                        "server": bot.server,
                        "room": room,
                        "code": error.code,
                        "status": error.status,
                    },
                )
            return None
        except MatrixBusy as error:
            return self._wait_s(message, error, number)
        self._metrics.bots_sent += 1
        self._slots.worked(bot.server)
        if self._said.get((bot.server, room, _BUSY)) is not None:
            self._said.forget((bot.server, room, _BUSY))
            log.info("bot works again", extra={"server": bot.server, "room": room})
        return None

    async def _content_of(self, message: BotMessage) -> dict[str, str]:
        if len(message.text) <= _SHORT:
            return message.content()
        async with self._reading:
            return await asyncio.to_thread(message.content)

    def _wait_s(self, message: BotMessage, error: MatrixBusy, number: int) -> float:
        server, room = message.bot.server, message.room
        self._metrics.bots_retries += 1
        wait_s = min(2.0 ** min(number - 1, _MAX_DOUBLINGS), _LONGEST_S)
        wait_s *= 1 - _SPREAD + 2 * _SPREAD * self._random()
        if error.wait_s is None:
            self._slots.failed(server)
            self._said.put((server, room, _BUSY), _BUSY)
        else:
            # As long as it asks for, and no less than half of what we would have waited. A rate
            # limit comes and goes with every burst: its end is never said.
            wait_s = max(error.wait_s, wait_s / 2) + _SPREAD * self._random()
        if self._said.is_news((server, room, error.reason)):
            log.warning(
                "bot has to wait",
                extra={"server": server, "room": room, "reason": error.reason},
            )
        return wait_s

    def overflowed(self, message: BotMessage) -> None:
        """Too many messages wait for the same room: this one is dropped."""
        self._metrics.bots_overflowed += 1
        server, room = message.bot.server, message.room
        if self._said.is_news((server, room, "overflow")):
            reason = "too many wait for this room"
            log.warning(
                "bot message dropped", extra={"server": server, "room": room, "reason": reason}
            )

    def unreadable(self) -> None:
        """An entry of the outbox is no message: another version, or somebody else, wrote it."""
        self._metrics.bots_malformed += 1
        if self._said.is_news(("", "", "unreadable")):
            log.warning(
                "bot message not read", extra={"reason": "the outbox holds something else"}
            )

    def _expired(self, message: BotMessage) -> None:
        self._metrics.bots_expired += 1
        server, room = message.bot.server, message.room
        if self._said.is_news((server, room, "expired")):
            log.warning("bot message too old", extra={"server": server, "room": room})
