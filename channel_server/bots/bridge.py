"""From what is heard on ``chatbot/*`` to the outbox. Bad messages are counted and stay alone."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from channel_server.adapters.outbox import Hearing, Recorded
from channel_server.bots.memory import Memory
from channel_server.bots.messages import read
from channel_server.errors import MalformedMessage, RedisLost, RedisRefused
from publisher.contract import CHATBOT_PUBLISH, CHATBOT_TEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.adapters.outbox import Outbox
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_MAX_WAITING: Final = 10_000
_MAX_WAITING_BYTES: Final = 16 * 1024 * 1024
_PAUSE_S: Final = 0.5
_COMPLAINTS: Final = 100
_SILENT_S: Final = 10.0


class _Waiting(NamedTuple):
    """A message that is not recorded yet.

    Attributes:
        at_s: When it was heard.
    """

    hearing: Hearing
    channel: str
    payload: bytes
    at_s: float


class Bridge:
    """Hears messages and records them, in order; keeps them while Redis does not take them.

    Args:
        outbox: Where they wait to be sent.
        node: Name of this node.
        max_age_s: What could not be recorded for so long is dropped.
        recorded: Called whenever the outbox may hold something new.
        metrics: Counts.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        node: str,
        max_age_s: int,
        recorded: Callable[[], None],
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._outbox = outbox
        self._node = node
        self._max_age_s = max_age_s
        self._recorded = recorded
        self._metrics = metrics
        self._clock = clock
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._subscriptions = 0
        self._number = 0
        self._since_ms = self._next_since_ms = 0
        self._is_refused = False
        self._said = Memory[str](_COMPLAINTS, _SILENT_S, clock)
        self._some = asyncio.Event()
        self._none = asyncio.Event()
        self._none.set()

    async def before_subscribing(self) -> None:
        """Ask Redis for the time: what was published before it has not been heard here.

        Raises:
            RedisLost: If there is no answer.
        """
        try:
            self._next_since_ms = await self._outbox.now_ms()
        except RedisRefused as error:
            raise RedisLost(str(error)) from None

    def subscribed(self, is_up: bool) -> None:  # noqa: FBT001 - a callback of the feed
        """A subscription stands, or is lost. The next one may have missed something."""
        if is_up:
            self._subscriptions += 1
            self._number = 0
            self._since_ms = self._next_since_ms

    def heard(self, channel: str, payload: bytes) -> int:
        """Take a message. Never raises. Returns bytes of work."""
        if channel not in {CHATBOT_TEST, CHATBOT_PUBLISH}:
            self._metrics.bots_ignored += 1
            return 0
        try:
            read(channel, payload)
        except MalformedMessage as error:
            self._refuse(error)
            return len(payload)
        except Exception as error:  # noqa: BLE001 - a bug must not cost the subscription
            log.error("bot message not read", extra={"error": type(error).__name__})  # noqa: TRY400 - a traceback may quote it
            return len(payload)
        is_full = self._waiting_bytes + len(payload) > _MAX_WAITING_BYTES
        if is_full or len(self._waiting) >= _MAX_WAITING:
            self._drop()
            return len(payload)
        self._number += 1
        listener = f"{self._node}:{self._subscriptions}"
        hearing = Hearing(listener, self._since_ms, self._number)
        self._waiting.append(_Waiting(hearing, channel, payload, self._clock()))
        self._waiting_bytes += len(payload)
        self._some.set()
        self._none.clear()
        return len(payload)

    async def run(self) -> NoReturn:
        """Record what is heard until cancelled."""
        while True:
            while self._waiting:
                waiting = self._waiting[0]
                if not await self._record(waiting):
                    await asyncio.sleep(_PAUSE_S)
                    continue
                self._waiting.popleft()
                self._waiting_bytes -= len(waiting.payload)
            self._none.set()
            self._some.clear()
            await self._some.wait()

    async def flush(self) -> None:
        """Return when everything that was heard is in the outbox."""
        await self._none.wait()

    async def _record(self, waiting: _Waiting) -> bool:
        """Record a message. Return False to try again."""
        if self._clock() - waiting.at_s > self._max_age_s:
            self._metrics.bots_expired += 1
            return True
        try:
            recorded = await self._outbox.record(waiting.hearing, waiting.channel, waiting.payload)
        except RedisLost:
            return False
        except RedisRefused as error:
            if not self._is_refused:
                log.warning("bot messages cannot be kept", extra={"reason": error.code})
            self._is_refused = True
            return False
        self._is_refused = False
        if recorded is Recorded.FULL:
            self._drop()
        self._recorded()
        return True

    def _drop(self) -> None:
        self._metrics.bots_overflowed += 1
        if self._said.is_news("full"):
            count = self._metrics.bots_overflowed
            log.warning("bot message dropped", extra={"reason": "too many wait", "count": count})

    def _refuse(self, error: MalformedMessage) -> None:
        self._metrics.bots_malformed += 1
        if self._said.is_news(error.reason):
            log.warning(
                "malformed bot message",
                extra={
                    "channel": error.channel,
                    "reason": error.reason,
                    "size": error.size,
                    "count": self._metrics.bots_malformed,
                },
            )
