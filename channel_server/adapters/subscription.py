"""One connection to Redis in subscribed mode."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from channel_server.adapters.line import Line, encode
from channel_server.adapters.refusals import is_refusal, refusal_of
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from collections.abc import Callable

_TURN_BYTES: Final = 256 * 1024
"""Bytes of fan-out after which the loop gets a turn: about 2 ms of work."""

_MESSAGE: Final = b"message"
_PMESSAGE: Final = b"pmessage"
_PING: Final = encode(b"PING")


class Subscription(Line):
    """Hands every message on.

    Args:
        channels: What to subscribe to: their names as Redis writes them, and as we do.
        take: Called with channel and payload; returns how many bytes of work that was.
        patterns: More channels, by patterns.

    Attributes:
        take: May be changed between two messages.
        is_behind: More has come than was handed on.
    """

    def __init__(
        self,
        channels: dict[bytes, str],
        take: Callable[[str, bytes], int],
        patterns: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__()
        self._stands: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channels = channels
        self._patterns = patterns
        self._confirmed = 0
        self.is_behind = False
        self.take = take

    async def subscribe(self, patience_s: float) -> None:
        """Subscribe, and return when all channels are confirmed.

        Raises:
            RedisLost: If that does not come in time, or is refused.
        """
        self.send(encode(b"SUBSCRIBE", *self._channels))
        if self._patterns:
            self.send(encode(b"PSUBSCRIBE", *self._patterns))
        try:
            async with asyncio.timeout(patience_s):
                await self._stands
        except asyncio.CancelledError:
            self.close("stopped")
            raise
        except TimeoutError:
            self.close("no answer to SUBSCRIBE")
            raise RedisLost("no answer to SUBSCRIBE") from None

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.send(_PING)

    def _read(self) -> None:
        """Deliver until the turn is used up; the rest waits in the parser."""
        # Also while a backlog is delivered and nothing is read: Redis is not silent, we are busy.
        self.has_spoken = True
        budget = _TURN_BYTES
        while budget > 0:
            reply = self._next()
            if reply is False:
                self.is_behind = False
                return
            if type(reply) is list and reply[0] == _MESSAGE:
                budget -= self.take(self._channels[reply[1]], reply[2])
            elif type(reply) is list and reply[0] == _PMESSAGE:
                budget -= self.take(reply[2].decode(errors="replace"), reply[3])
            else:
                self._received(reply)
        if self._tcp is not None:
            self.is_behind = True
            self._tcp.pause_reading()
            asyncio.get_running_loop().call_soon(self._continue)

    def _continue(self) -> None:
        if self._tcp is not None:
            self._tcp.resume_reading()
            self._read()

    def _received(self, reply: Any) -> None:
        if self._asked:
            self._asked.popleft()(reply)
        elif is_refusal(reply):
            self.close(refusal_of(reply))
        elif reply[0] in {b"subscribe", b"psubscribe"}:
            self._confirmed += 1
            names = len(self._channels) + len(self._patterns)
            if self._confirmed == names and not self._stands.done():
                self._stands.set_result(None)

    def _end(self, reason: str) -> None:
        super()._end(reason)
        if not self._stands.done():
            self._stands.set_exception(RedisLost(reason))
            self._stands.exception()  # retrieved: nobody may be waiting
