"""One lean connection to Redis: redis-py opens it, hiredis parses it, nothing stands between.

redis-py knows every kind of URL, TLS, passwords and database numbers, so it makes the
connection. Then its transport is ours: a reply awaited through redis-py costs 40 µs of CPU, a
pipelined one 2.4 (docs/decisions/0002). This is the one module that reaches into redis-py;
``tests/unit/adapters/test_line_shape.py`` fails when its shape changes.
"""

from __future__ import annotations

import abc
import asyncio
import re
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self, cast

import hiredis
from redis import exceptions
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from channel_server.errors import RedisLost, RedisRefused

if TYPE_CHECKING:
    from collections.abc import Callable

_CONNECT_TIMEOUT_S: Final = 5.0
_PIECE_BYTES: Final = 8192
_INNER_CODE: Final = re.compile(r"-?\b([A-Z]{3,16}) ")
_PING: Final = b"*1\r\n$4\r\nPING\r\n"


class Line(asyncio.Protocol, abc.ABC):
    """A connection that a subclass gives a meaning: it gets every reply, in order.

    Attributes:
        lost: Done when the connection is gone; its result says why.
        has_spoken: Whether anything came since it was last set to False.
    """

    def __init__(self) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.has_spoken = False
        self._reader = hiredis.Reader()
        self._parse = self._reader.gets
        self._data = b""
        self._fed = 0
        self._tcp: asyncio.Transport | None = None
        # Its destructor would close the transport under us.
        self._opened_by: Any = None

    async def open(self, url: str) -> None:
        """Connect, authenticate, select the database.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``.

        Raises:
            RedisLost: When Redis cannot be reached or does not let us in.
        """
        pool: Any = ConnectionPool.from_url(
            url,
            protocol=2,  # HELLO is unknown before Redis 6
            driver_info=None,  # CLIENT SETINFO is unknown before Redis 7.2
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            socket_timeout=_CONNECT_TIMEOUT_S,
        )
        connection = pool.make_connection()
        try:
            await connection.connect()
        except (exceptions.RedisError, OSError) as error:
            raise RedisLost(_name_of(error)) from error
        except asyncio.CancelledError:
            await connection.disconnect(nowait=True)
            raise
        reader, self._opened_by = connection._reader, connection._writer
        connection._reader = connection._writer = None
        transport = self._opened_by.transport
        transport.set_protocol(self)
        if reader.at_eof() or reader.exception() is not None or transport.is_closing():
            # It closed while nobody of ours was listening.
            transport.abort()
            raise RedisLost("closed by Redis")
        self._tcp = transport

    def send(self, command: bytes) -> None:
        """Write an encoded command; a lost connection ignores it."""
        if self._tcp is not None:
            self._tcp.write(command)

    @abc.abstractmethod
    def ping(self) -> None:
        """Ask for a sign of life."""

    async def watch(self, probe_s: float) -> str:
        """Wait until the connection is lost; drop it when it gives no sign of life.

        Args:
            probe_s: How often it must give one.

        Returns:
            Why it was lost.
        """
        try:
            while not self.lost.done():
                self.has_spoken = False
                self.ping()
                await asyncio.wait({self.lost}, timeout=probe_s)
                if not self.has_spoken:
                    self.close("silent")
            return self.lost.result()
        finally:
            self.close("stopped")

    def close(self, reason: str) -> None:
        """Drop the connection."""
        if self._tcp is not None:
            self._tcp.abort()
        self._end(reason)

    def data_received(self, data: bytes) -> None:
        """Parse what came and hand on every complete reply."""
        self.has_spoken = True
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
        self._end("closed by Redis" if exc is None else type(exc).__name__)

    def _end(self, reason: str) -> None:
        self._tcp = None
        if not self.lost.done():
            self.lost.set_result(reason)


def encode(*words: bytes) -> bytes:
    """Encode a command as RESP."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


class RequestLine(Line):
    """A pipelined connection: every request gets the reply that belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self._asked: deque[Callable[[Any], None]] = deque()

    @classmethod
    async def to(cls, url: str, patience_s: float) -> Self:
        """Connect to a Redis that answers. Raises ``RedisLost``."""
        line = cls()
        await line.open(url)
        await line.greet(patience_s)
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
        await asyncio.wait(
            {answer, self.lost}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED
        )
        if not answer.done():
            answer.cancel()
            raise RedisLost("no answer in time" if not self.lost.done() else self.lost.result())
        reply = answer.result()
        if is_refusal(reply):
            raise RedisRefused(code_of(reply))
        return reply

    async def greet(self, patience_s: float) -> None:
        """Make sure that Redis is there and lets us in.

        Raises:
            RedisLost: If it is not, does not, or does not answer in time.
        """
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.request(_PING, answer.set_result)
        try:
            await asyncio.wait(
                {answer, self.lost}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED
            )
        except asyncio.CancelledError:
            self.close("stopped")
            raise
        if not answer.done() or is_refusal(answer.result()):
            self.close(refusal_of(answer.result()) if answer.done() else "no answer to PING")
            raise RedisLost(self.lost.result())

    def ping(self) -> None:
        """Ask for a sign of life."""
        self.request(_PING, lambda _: None)

    def _received(self, reply: Any) -> None:
        if self._asked:
            self._asked.popleft()(reply)
        else:
            self.close("not the Redis protocol")


def _settle(answer: asyncio.Future[Any], reply: Any) -> None:
    if not answer.done():
        answer.set_result(reply)


def _name_of(error: Exception) -> str:
    """What is behind an error of redis-py: ``ConnectionRefusedError``, ``AuthenticationError``."""
    return type(error.__cause__ or error.__context__ or error).__name__


def code_of(reply: object) -> str:
    """The code of an error of Redis, such as ``OOM``: it quotes nothing.

    Before Redis 7 a script's error stands behind ``ERR Error running script``.
    """
    first, _, rest = str(reply).partition(" ")
    inner = _INNER_CODE.search(rest) if first == "ERR" else None
    return inner[1] if inner else first


def refusal_of(reply: object) -> str:
    """Say why Redis refused."""
    return f"refused by Redis: {code_of(reply)}"


def is_refusal(reply: object) -> bool:
    """Tell whether a reply is an error."""
    return isinstance(reply, cast("type", hiredis.ReplyError))
