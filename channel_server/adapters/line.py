"""One lean connection to Redis: hiredis parses it, nothing stands between.

A reply awaited through redis-py costs 40 µs of CPU, a pipelined one here 2.4 (docs/decisions/0002);
and its way to connect loses a cancellation now and then (docs/decisions/0016).
"""

from __future__ import annotations

import abc
import asyncio
import re
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, cast

import hiredis

from channel_server.adapters.address import Address
from channel_server.adapters.refusals import (
    NODE,
    SENTINEL,
    code_of,
    is_refusal,
    refusal_of,
    words_of,
)
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract.journal import NONE
from publisher.contract.redis_url import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT_TIMEOUT_S: Final = 5.0
_PIECE_BYTES: Final = 8192
_MODE: Final = re.compile(rb"^(?:redis|server)_mode:(\w+)", re.MULTILINE)  # Valkey: server_mode
_NO_USERS: Final = "ERR wrong number of arguments for 'auth'"


class Line(asyncio.Protocol, abc.ABC):
    """A connection that a subclass gives a meaning: it gets every reply, in order.

    Attributes:
        lost: Done when the connection is gone; its result says why.
        has_spoken: Whether anything came since it was last set to False.
        spoke_at_s: When anything came last, in monotonic seconds.
        place: Host and port of the primary that Sentinels have named; None without Sentinels.
    """

    def __init__(self) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.has_spoken = False
        self.spoke_at_s = float("-inf")
        self.place: tuple[str, int] | None = None
        self._asked: deque[Callable[[Any], None]] = deque()
        self._reader = hiredis.Reader()
        self._parse = self._reader.gets
        self._data = b""
        self._fed = 0
        self._tcp: asyncio.Transport | None = None

    async def open(self, url: str, within_s: float = _CONNECT_TIMEOUT_S) -> None:
        """Connect, authenticate, select the database, and make sure that Redis answers.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``.
            within_s: All of that must be done in this time.

        Raises:
            RedisLost: When Redis cannot be reached, does not let us in, or does not answer.
        """
        stage = "no connection in time"
        try:
            async with asyncio.timeout(within_s):
                address = await Address.of(url)
                if address.kind is Kind.SENTINEL:
                    self.place = (address.host, address.port)
                stage = "no TLS in time" if address.tls else stage
                await address.connect(self)
                stage = "no answer in time"
                await self._greet(address)
        except asyncio.CancelledError:
            self.close("stopped")
            raise
        except TimeoutError:
            reason = stage
        except RedisLost as error:
            reason = error.reason
        except OSError as error:
            reason = words_of(error)
        else:
            return
        self.close(reason)
        raise RedisLost(reason)

    async def _greet(self, address: Address) -> None:
        """Say who we are, and where we want to go. Raises ``RedisLost``."""
        # One that takes no more clients says so and hangs up: who writes first does not read it.
        for _ in range(2):
            await asyncio.sleep(0)
        login = [address.user.encode()] if address.user else []
        replies = await self._exchange(_greeting(address, login))
        if login and str(replies[0]).startswith(_NO_USERS):  # Redis 5 knows a password only
            replies = await self._exchange(_greeting(address, []))
        refusal = next(filter(is_refusal, replies), None)
        if refusal is not None:
            raise RedisLost(refusal_of(refusal))
        await self._look_around(address)

    async def _look_around(self, address: Address) -> None:
        """Make sure that this is what the URL has promised. Raises ``RedisLost``."""
        replies = await self._exchange([encode(b"INFO", b"server"), WRITE])
        about, written = replies[0], replies[-1]  # one, if Redis refuses and hangs up
        if isinstance(about, bytes) and (mode := _MODE.search(about)):
            if mode[1] == b"sentinel":
                raise RedisLost(SENTINEL)
            if mode[1] == b"cluster" and address.kind is not Kind.CLUSTER:
                raise RedisLost(NODE)
        # Sentinels may not know yet. Where one Redis is named, it may be a replica on purpose.
        if address.kind is not Kind.DIRECT and is_refusal(written):
            code = code_of(written)
            if code in {"READONLY", "MOVED"}:
                raise RedisLost(f"refused by Redis: {code}")

    async def _exchange(self, commands: list[bytes]) -> list[Any]:
        """Send commands in one piece. Return the replies; fewer if one says why we are cut."""
        replies: list[Any] = []
        last: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def take(reply: Any) -> None:
            replies.append(reply)
            if len(replies) == len(commands) and not last.done():
                last.set_result(None)

        self._asked.extend([take] * len(commands))
        self.send(b"".join(commands))
        ends: set[asyncio.Future[Any]] = {last, self.lost}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not (last.done() or any(map(is_refusal, replies))):
            raise RedisLost(self.lost.result())
        return replies

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._tcp = cast("asyncio.Transport", transport)

    @property
    def is_receiving(self) -> bool:
        """Whether a part of a reply has come: the rest is on its way, however long that takes."""
        return self._fed < len(self._data) or bool(self._reader.has_data())

    def send(self, command: bytes) -> None:
        """Write an encoded command; a lost connection ignores it."""
        if self._tcp is not None:
            self._tcp.write(command)

    def close(self, reason: str) -> None:
        """Drop the connection."""
        if self._tcp is not None:
            self._tcp.abort()
        self._end(reason)

    def data_received(self, data: bytes) -> None:
        """Parse what came and hand on every complete reply."""
        self.has_spoken = True
        self.spoke_at_s = time.monotonic()
        self._data = self._data[self._fed :] + data if self._fed < len(self._data) else data
        self._fed = 0
        self._read()

    def _read(self) -> None:
        while (reply := self._next()) is not False:
            self._received(reply)

    def _next(self) -> Any:
        """The next reply, False if it is not complete yet.

        The parser is fed in pieces: after each reply hiredis moves the rest of its buffer to the
        front, which costs 1 µs a message if that is 64 KB of them (perf, bursts of 2 KB messages).
        """
        try:
            while (reply := self._parse()) is False and self._fed < len(self._data):
                size = min(_PIECE_BYTES, len(self._data) - self._fed)
                self._reader.feed(self._data, self._fed, size)
                self._fed += size
        except hiredis.ProtocolError:
            self.close("not the Redis protocol")
            return False
        return reply

    @abc.abstractmethod
    def _received(self, reply: Any) -> None:
        """Take one reply."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._end("closed by Redis" if exc is None else words_of(exc))

    def _end(self, reason: str) -> None:
        self._tcp = None
        if not self.lost.done():
            self.lost.set_result(reason)


async def wait(ends: set[asyncio.Future[Any]], seconds: float) -> None:
    """Wait until one of these is done, for so long at most, with what has come until then read.

    After a stall of our own, uvloop looks at its timers before it reads: time would be up while the
    answer waits in the socket.
    """
    await asyncio.wait(ends, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0)


def encode(*words: bytes) -> bytes:
    """Encode a command as RESP."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def _greeting(address: Address, login: list[bytes]) -> list[bytes]:
    commands = []
    if address.password or login:
        commands.append(encode(b"AUTH", *login, address.password.encode()))
    if address.database:
        commands.append(encode(b"SELECT", b"%d" % address.database))
    return [*commands, encode(b"PING")]


WRITE: Final = encode(b"DEL", NONE.encode())
"""A sign of life that only a primary gives, and that changes nothing."""


class RequestLine(Line):
    """A pipelined connection: every request gets the reply that belongs to it."""

    @classmethod
    async def to(cls, url: str, patience_s: float) -> Self:
        """Connect to a Redis that answers. Raises ``RedisLost``."""
        line = cls()
        await line.open(url, patience_s)
        return line

    def request(self, command: bytes, *answers: Callable[[Any], None]) -> None:
        """Send a command, or several in one piece.

        Args:
            command: Encoded.
            answers: Called with the reply (bytes, int, None, or a ``hiredis.ReplyError``), one
                for each command; not called when the connection is lost first.
        """
        self._asked.extend(answers)
        self.send(command)

    async def execute(self, command: bytes, *, within_s: float) -> Any:
        """Send a command and wait for its answer.

        Raises:
            RedisLost: If there is no answer in time.
            RedisRefused: If the answer is an error.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.request(command, partial(_settle, answer))
        await wait({answer, self.lost}, within_s)
        if not answer.done():
            answer.cancel()
            raise RedisLost("no answer in time" if not self.lost.done() else self.lost.result())
        reply = answer.result()
        if is_refusal(reply):
            raise RedisRefused(code_of(reply))
        return reply

    def _received(self, reply: Any) -> None:
        if self._asked:
            self._asked.popleft()(reply)
        else:
            self.close(refusal_of(reply) if is_refusal(reply) else "not the Redis protocol")


def _settle(answer: asyncio.Future[Any], reply: Any) -> None:
    if not answer.done():
        answer.set_result(reply)
