"""From messages to what clients get: what is wrong is counted and stays alone."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from channel_server.core import messages
from channel_server.core.offsets import milliseconds_of
from channel_server.core.packets import event_packet
from channel_server.core.records import Broadcast
from channel_server.errors import MalformedMessage
from channel_server.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.control import Order
    from channel_server.core.journal import Tail
    from channel_server.core.messages import Content, Message
    from channel_server.live.fanout import Fanout
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)


class Intake:
    """Reads messages, delivers them, and keeps those that have a position. Never raises.

    Args:
        fanout: Delivers.
        tail: Keeps.
        obey: Called with every order of the application.
        metrics: Counts.
        clock: Monotonic seconds.
        redis_clock: Seconds since 1970 by the clock of Redis; None while that is not known.
    """

    def __init__(
        self,
        fanout: Fanout,
        tail: Tail,
        *,
        obey: Callable[[Order], None],
        metrics: Metrics,
        clock: Callable[[], float],
        redis_clock: Callable[[], float | None] = lambda: None,
    ) -> None:
        self._fanout = fanout
        self._tail = tail
        self._obey = obey
        self._metrics = metrics
        self._redis_clock = redis_clock
        self._seldom = Seldom(clock)

    def read(self, content: Content) -> Message | None:
        """Read a message. None if it reaches nobody: that is counted."""
        try:
            message = messages.read(content)
        except MalformedMessage as error:
            self._refuse(error)
            return None
        if message is None:
            self._metrics.unaddressed += 1
        return message

    def pass_over(self, message: Message, content: Content) -> int:
        """Deliver a message that is too large to be kept, and say so. As ``deliver``."""
        channel, payload = content
        self._metrics.too_large += 1
        if self._seldom.may_say("too large"):
            about = {"channel": channel, "size": len(payload), "count": self._metrics.too_large}
            log.warning("message too large to be kept", extra=about)
        return self.deliver(message)

    def deliver(self, message: Message) -> int:
        """Deliver a message that is in no journal.

        Its offset, if there is a journal at all, is the place where the client stands.

        Returns:
            Bytes written to clients.
        """
        offset = self._tail.offset
        return self._carry_out(message, None if offset is None else str(offset).encode())

    def keep(
        self, message: Message, position: int, stream_id: bytes, *, is_delivered: bool = False
    ) -> int:
        """Deliver a message of the journal, and keep it for those who are away.

        Args:
            message: What it says.
            position: Its place.
            stream_id: The same, as Redis writes it.
            is_delivered: Clients have it: only keep it.

        Returns:
            Bytes written to clients.
        """
        self._tail.advance(position)
        offset = b"%b:%b" % (self._tail.epoch_name, stream_id)
        return self._carry_out(message, offset, position=position, is_delivered=is_delivered)

    def _carry_out(
        self,
        message: Message,
        offset: bytes | None,
        *,
        position: int | None = None,
        is_delivered: bool = False,
    ) -> int:
        try:
            if not isinstance(message, Broadcast):
                if not is_delivered:
                    self._obey(message)
                return 0
            packet = event_packet(message.event, message.body, offset)
            if position is not None:
                self._tail.append(position, message.room, packet.frame)
            if is_delivered:
                return 0
            began_s = perf_counter()
            clients, written_bytes = self._fanout.deliver(message.room, packet)
        except Exception:  # a bug must not cost the subscription
            if self._seldom.may_say("delivery failed"):
                log.exception("delivery failed")
            return 0
        metrics = self._metrics
        metrics.fanout.observe(perf_counter() - began_s)
        metrics.messages[message.event] += 1
        metrics.deliveries += clients
        metrics.delivered_bytes += written_bytes
        now_s = None if position is None else self._redis_clock()
        if position is not None and now_s is not None:
            metrics.intake_lag.observe(now_s - milliseconds_of(position) / 1000)
        return written_bytes

    def _refuse(self, error: MalformedMessage) -> None:
        self._metrics.malformed += 1
        if self._seldom.may_say("malformed message"):
            log.warning(
                "malformed message",
                extra={
                    "channel": error.channel,
                    "reason": error.reason,
                    "size": error.size,
                    "count": self._metrics.malformed,
                },
            )
