"""From messages to what clients get: what is wrong is counted and stays alone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from channel_server.core import control, records
from channel_server.core.packets import event_packet
from channel_server.errors import MalformedMessage
from publisher.contract import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.control import Order
    from channel_server.core.journal import Tail
    from channel_server.core.records import Broadcast
    from channel_server.core.unseen import Content
    from channel_server.live.fanout import Fanout
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_LOG_EVERY_S: Final = 10.0


class Intake:
    """Reads messages, delivers them, and keeps those that have a position.

    Args:
        fanout: Delivers.
        tail: Keeps.
        obey: Called with every order of the application. Must not raise.
        metrics: Counts.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        fanout: Fanout,
        tail: Tail,
        *,
        obey: Callable[[Order], None],
        metrics: Metrics,
        clock: Callable[[], float],
    ) -> None:
        self._fanout = fanout
        self._tail = tail
        self._obey = obey
        self._metrics = metrics
        self._clock = clock
        self._quiet_until = clock()

    def screen(self, content: Content) -> bool:
        """Tell whether a message reaches anybody; what does not is counted. Never raises."""
        channel, payload = content
        try:
            if channel == CONTROL:
                control.read(payload)
                return True
            broadcast = records.read(channel, payload)
        except MalformedMessage as error:
            self._refuse(error)
            return False
        if broadcast is None:
            self._metrics.unaddressed += 1
        return broadcast is not None

    def take(
        self, content: Content, *, position: int | None = None, is_delivered: bool = False
    ) -> int:
        """Deliver one message. Never raises.

        Args:
            content: Channel and payload.
            position: In the journal; None if it is in none.
            is_delivered: The clients have it: only keep it.

        Returns:
            Bytes written to clients.
        """
        channel, payload = content
        if position is not None:
            self._tail.advance(position)
        try:
            if channel == CONTROL:
                self._obey(control.read(payload))
                return 0
            broadcast = records.read(channel, payload)
            if broadcast is not None:
                return self._deliver(broadcast, position, is_delivered=is_delivered)
        except MalformedMessage as error:
            self._refuse(error)
        except Exception:  # a bug must not cost the subscription
            log.exception("delivery failed")
        else:
            self._metrics.unaddressed += 1
        return 0

    def _deliver(self, broadcast: Broadcast, position: int | None, *, is_delivered: bool) -> int:
        offset = self._tail.offset
        text = None if offset is None else str(offset)
        packet = event_packet(broadcast.event, broadcast.body, text)
        if position is not None:
            self._tail.append(position, broadcast.room, packet.frame)
        if is_delivered:
            return 0
        clients, written_bytes = self._fanout.deliver(broadcast.room, packet)
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
