"""From Redis messages to broadcasts: what is wrong is counted and stays alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from channel_server.core import records
from channel_server.errors import MalformedMessage

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.live.fanout import Fanout
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_LOG_EVERY_S = 10.0


class Intake:
    """Reads messages and delivers them.

    Args:
        fanout: Delivers.
        metrics: Counts.
        clock: Monotonic seconds.
    """

    def __init__(self, fanout: Fanout, metrics: Metrics, clock: Callable[[], float]) -> None:
        self._fanout = fanout
        self._metrics = metrics
        self._clock = clock
        self._quiet_until = clock()

    def take(self, channel: str, payload: bytes) -> int:
        """Deliver one message. Never raises.

        Returns:
            Bytes written to clients.
        """
        try:
            broadcast = records.read(channel, payload)
        except MalformedMessage as error:
            self._refuse(error)
            return 0
        if broadcast is None:
            self._metrics.unaddressed += 1
            return 0
        try:
            clients, written_bytes = self._fanout.deliver(broadcast)
        except Exception:  # a bug must not cost the subscription
            log.exception("delivery failed")
            return 0
        self._metrics.messages += 1
        self._metrics.deliveries += clients
        return written_bytes

    def _refuse(self, error: MalformedMessage) -> None:
        self._metrics.malformed += 1
        now = self._clock()
        if now >= self._quiet_until:
            self._quiet_until = now + _LOG_EVERY_S
            log.warning(
                "malformed message",
                extra={
                    "channel": error.channel,
                    "reason": error.reason,
                    "size": error.size,
                    "count": self._metrics.malformed,
                },
            )
