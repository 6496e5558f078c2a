"""How commands get to Redis, for asyncio. See ``publisher.link``."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from redis import RedisError, ResponseError
from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from publisher.aio_connection import OURS, PunctualPool
from publisher.attempts import Attempts
from publisher.command import Pipeline
from publisher.contract.redis_url import Kind, read_url
from publisher.deadline import begin, share_s
from publisher.errors import PublishError
from publisher.failures import after_writing, before_writing
from publisher.redis_versions import TAKE, silent
from publisher.sentinels import AsyncFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.command import Command
    from publisher.settings import Settings
    from publisher.steps import Steps

Connections = TypeVar("Connections")
"""Of one event loop."""


class AsyncLink(ABC):
    """As ``Link``."""

    is_cluster = False
    """It leads to a Redis Cluster."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s

    @abstractmethod
    async def execute(self, command: Command | Pipeline) -> Any:
        """As ``Link.execute``."""

    async def perform(self, steps: Steps) -> Any:
        """As ``Link.perform``."""
        begin(self._timeout_s)
        try:
            command = next(steps)
            while True:
                try:
                    answer = await self.execute(command)
                except PublishError as error:
                    command = steps.throw(error)
                else:
                    command = steps.send(answer)
        except StopIteration as end:
            return end.value

    @abstractmethod
    async def close(self) -> None:
        """Close all connections. A command that another task has under way fails."""


class OneLoopLink(AsyncLink, Generic[Connections]):
    """Connections of one event loop at a time: of another one no answer would ever be seen."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(timeout_s)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._of_loop: Connections | None = None

    @abstractmethod
    def _make(self) -> Connections:
        """Make connections for the loop that runs; nothing connects yet."""

    @abstractmethod
    async def _let_go(self, connections: Connections) -> None:
        """Close them."""

    def _connections(self) -> Connections:
        """Those of the loop that runs.

        Raises:
            PublishError: If another loop, which may still run, has them.
        """
        loop = asyncio.get_running_loop()
        self._check(loop)
        if self._of_loop is None or self._loop is not loop:
            self._loop, self._of_loop = loop, self._make()
        return self._of_loop

    async def close(self) -> None:
        """As ``AsyncLink.close``. After it, or when its loop is closed, any loop may use the link."""
        loop = asyncio.get_running_loop()
        self._check(loop)
        connections = self._of_loop if self._loop is loop else None
        self._loop = self._of_loop = None
        if connections is not None:
            await self._let_go(connections)

    def _check(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop not in {None, loop} and not self._loop.is_closed():
            raise PublishError(
                "an AsyncPublisher stays in one event loop until it is closed there: await close() "
                "in the other loop, or make an AsyncPublisher for each loop"
            )


class _Connection(Protocol):
    """What we use of redis-py's connection."""

    def pack_commands(self, commands: Iterable[tuple[str | bytes | int, ...]]) -> Any: ...
    async def send_command(self, *words: str | bytes | int) -> None: ...
    async def send_packed_command(self, command: Any) -> None: ...
    async def read_response(self) -> Any: ...
    async def disconnect(self, *, nowait: bool = False) -> None: ...


class _Pool(Protocol):
    """What we use of redis-py's connection pool."""

    async def get_connection(self, *names: str) -> _Connection: ...
    async def release(self, connection: _Connection) -> None: ...
    async def disconnect(self) -> None: ...


class AsyncPooledLink(OneLoopLink[_Pool]):
    """As ``PooledLink``.

    Args:
        settings: Address, number of connections, time-out.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.timeout_s)
        url = read_url(settings.url)
        options: dict[str, Any] = {**parse_url(url.direct), **settings.redis_options}
        kind = OURS[options.get("connection_class", Connection)]
        if url.kind is Kind.SENTINEL:
            options["url"] = url
            kind = type("Found", (AsyncFound, kind), {})
        self._options = {
            **options,
            **silent(AbstractConnection),
            "connection_class": kind,
            "max_connections": settings.pool_size,
            "timeout": settings.timeout_s,
            "socket_timeout": None,  # ours are in `execute` and in `publisher.aio_connection`
            "socket_connect_timeout": settings.timeout_s,
            "protocol": 2,
            # redis-py's own retries would write a command again that was written already.
            "retry": Retry(NoBackoff(), 0),
        }

    def _make(self) -> _Pool:
        pool: Any = PunctualPool(**self._options)
        return cast("_Pool", pool)

    async def _let_go(self, connections: _Pool) -> None:
        await connections.disconnect()

    async def execute(self, command: Command | Pipeline) -> Any:
        """As ``Link.execute``."""
        pool = self._connections()
        connection = await self._connected(pool)
        answered = False
        try:
            async with asyncio.timeout(share_s(is_repeatable=command.is_repeatable)):
                if isinstance(command, Pipeline):
                    words = [each.words for each in command.commands]
                    await connection.send_packed_command(connection.pack_commands(words))
                    answer: Any = [await _answer_or_refusal(connection) for _ in words]
                else:
                    await connection.send_command(*command.words)
                    answer = await connection.read_response()
                answered = True
        except (RedisError, TimeoutError) as error:
            failure = after_writing(error)
        else:
            return answer
        finally:
            # Neither of the two suspends in redis-py 8.1, so a second cancellation does no harm.
            if not answered:
                await connection.disconnect(nowait=True)
            await pool.release(connection)
        # Out here, so that redis-py's error is not attached where it was left out on purpose.
        raise failure

    async def _connected(self, pool: _Pool) -> _Connection:
        """Take a connection that stands: new, or idle and not closed by Redis meanwhile."""
        attempts: Attempts | None = None
        while True:
            try:
                return await pool.get_connection(*TAKE)
            except (RedisError, TimeoutError) as error:
                failure = before_writing(error)
            attempts = attempts or Attempts()
            await asyncio.sleep(attempts.pause_after(failure))


async def _answer_or_refusal(connection: _Connection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return after_writing(error)
