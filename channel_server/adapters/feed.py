"""Messages from Redis pub/sub, in the order in which Redis sent them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.adapters.line import Line, encode, is_refusal, refusal_of, stay_connected
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TURN_BYTES: Final = 256 * 1024
"""Bytes of fan-out after which the loop gets a turn: about 2 ms of work."""

_MESSAGE: Final = b"message"
_PING: Final = encode(b"PING")


class Feed:
    """Keeps a subscription up and hands every message on.

    Args:
        url: Redis.
        channels: What to subscribe to.
        deliver: Called with channel and payload; returns how many bytes it has written to
            clients. Must not raise.
        is_up: Called with True when the subscription stands, with False when it is lost.
        probe_s: Redis must give a sign of life this often; without one the connection is
            replaced.
        pauses_s: Back-off, see ``stay_connected``.
    """

    def __init__(
        self,
        url: str,
        channels: Iterable[str],
        deliver: Callable[[str, bytes], int],
        *,
        is_up: Callable[[bool], None],
        probe_s: float,
        pauses_s: Callable[[int], float],
    ) -> None:
        self._url = url
        self._channels = {channel.encode(): channel for channel in channels}
        self._deliver = deliver
        self._is_up = is_up
        self._probe_s = probe_s
        self._pauses_s = pauses_s

    async def run(self) -> NoReturn:
        """Receive until cancelled; reconnects by itself."""
        await stay_connected(
            self._subscribe, self._watch, purpose="subscription", pauses_s=self._pauses_s
        )

    async def _subscribe(self) -> _Subscription:
        line = _Subscription(self._channels, self._deliver)
        await line.open(self._url)
        line.send(encode(b"SUBSCRIBE", *self._channels))
        try:
            async with asyncio.timeout(self._probe_s):
                await line.stands
        except TimeoutError:
            line.close("no answer to SUBSCRIBE")
            raise RedisLost("no answer to SUBSCRIBE") from None
        return line

    async def _watch(self, line: _Subscription) -> str:
        self._is_up(True)
        try:
            return await line.watch(self._probe_s)
        finally:
            self._is_up(False)


class _Subscription(Line):
    """A connection in subscribed mode.

    Attributes:
        stands: Done when all channels are confirmed.
    """

    def __init__(self, channels: dict[bytes, str], deliver: Callable[[str, bytes], int]) -> None:
        super().__init__()
        self.stands: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._channels = channels
        self._deliver = deliver
        self._confirmed = 0

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
                return
            if type(reply) is list and reply[0] == _MESSAGE:
                budget -= self._deliver(self._channels[reply[1]], reply[2])
            else:
                self._received(reply)
        if self._tcp is not None:
            self._tcp.pause_reading()
            asyncio.get_running_loop().call_soon(self._continue)

    def _continue(self) -> None:
        if self._tcp is not None:
            self._tcp.resume_reading()
            self._read()

    def _received(self, reply: Any) -> None:
        if is_refusal(reply):
            self.close(refusal_of(reply))
        elif reply[0] == b"subscribe":
            self._confirmed += 1
            if self._confirmed == len(self._channels) and not self.stands.done():
                self.stands.set_result(None)

    def _end(self, reason: str) -> None:
        super()._end(reason)
        if not self.stands.done():
            self.stands.set_exception(RedisLost(reason))
            self.stands.exception()  # retrieved: nobody may be waiting
