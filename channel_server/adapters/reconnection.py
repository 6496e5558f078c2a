"""Connections that are made again whenever they are lost, for ever, and little said about it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

from channel_server.adapters.line import Line
from channel_server.adapters.refusals import REFUSED, remedy_for
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_server.adapters.pauses import Pauses

log = logging.getLogger(__name__)

_LOG_EVERY_S: Final = 10.0
_STABLE_S: Final = 10.0

L = TypeVar("L", bound=Line)


async def stay_connected(
    connect: Callable[[], Awaitable[L]],
    use: Callable[[L], Awaitable[str]],
    *,
    purpose: str,
    pauses: Pauses,
    at_most_s: float = float("inf"),
) -> NoReturn:
    """Connect again whenever the connection is lost, for ever.

    Args:
        connect: Opens a connection; may raise ``RedisLost``.
        use: Works with it until it is lost; returns why.
        purpose: For the log.
        pauses: Between attempts, counted since the last success.
        at_most_s: No pause is longer.
    """
    clock = asyncio.get_running_loop().time
    report = _Report(purpose, clock)
    attempt = 0
    while True:
        began, is_away = clock(), True
        try:
            line = await connect()
            report.connected()
            pauses.end()
            is_away = False
            reason = await use(line)
        except RedisLost as error:
            reason = error.reason
        report.lost(reason)
        # A connection that is refused as soon as it is used counts as a failed attempt.
        attempt = 1 if clock() - began > _STABLE_S else attempt + 1
        await pauses.wait(attempt, at_most_s=at_most_s, is_away=is_away)


class _Report:
    """Says when Redis is lost and when it is back, in turn, the first at most once in ten seconds.

    While it is lost, each new refusal is said, once: it has hung up, and lets nobody in any more.

    Args:
        purpose: What the connection is for.
        clock: Monotonic seconds.
    """

    def __init__(self, purpose: str, clock: Callable[[], float]) -> None:
        self._purpose = purpose
        self._clock = clock
        self._was_lost = False
        self._was_said = False
        self._refusals: set[str] = set()
        self._quiet_until = clock()

    def connected(self) -> None:
        """The connection stands."""
        if self._was_said and not self._was_lost:
            return
        self._was_lost, self._was_said = False, True
        self._refusals.clear()
        log.info("Redis connected", extra={"purpose": self._purpose})

    def lost(self, reason: str) -> None:
        """It is gone, or could not be made."""
        now = self._clock()
        if self._was_lost:
            if reason in self._refusals or not _is_news(reason):
                return
        elif now < self._quiet_until:
            return
        self._refusals.add(reason)
        event = "Redis lost" if self._was_said else "Redis away"
        self._was_lost, self._was_said = True, True
        self._quiet_until = now + _LOG_EVERY_S
        log.warning(
            event,
            extra={"purpose": self._purpose, "reason": reason, "remedy": remedy_for(reason)},
        )


def _is_news(reason: str) -> bool:
    """Whether a reason is worth a line while Redis is lost: that it is loading ends by itself."""
    return reason.startswith(REFUSED) and "LOADING" not in reason
