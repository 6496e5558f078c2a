"""A bounded set of connections to Redis, for asyncio. See ``publisher.link``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

from redis import RedisError, ResponseError
from redis.asyncio.connection import BlockingConnectionPool, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from publisher.aio_connection import ATTENTIVE
from publisher.attempts import Attempts
from publisher.command import Pipeline
from publisher.contract.redis_url import Kind, read_url
from publisher.errors import PublishError
from publisher.failures import after_writing, before_writing
from publisher.sentinels import AsyncFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.command import Command
    from publisher.settings import Settings
    from publisher.steps import Steps


class _Connection(Protocol):
    """What we use of redis-py's connection."""

    def pack_commands(self, commands: Iterable[tuple[str | bytes | int, ...]]) -> Any: ...
    async def send_command(self, *words: str | bytes | int) -> None: ...
    async def send_packed_command(self, command: Any) -> None: ...
    async def read_response(self) -> Any: ...
    async def disconnect(self, *, nowait: bool = False) -> None: ...


class _Pool(Protocol):
    """What we use of redis-py's connection pool."""

    async def get_connection(self) -> _Connection: ...
    async def release(self, connection: Any) -> None: ...
    async def disconnect(self) -> None: ...


class AsyncLink:
    """Sends commands and awaits their answers. Keeps the promises of ``publisher.link.Link``.

    A cancelled command counts as a failed one: its connection is closed.

    Args:
        settings: Address, number of connections, time-outs.
    """

    def __init__(self, settings: Settings) -> None:
        self._timeout_s = settings.timeout_s
        self._loop: asyncio.AbstractEventLoop | None = None
        url = read_url(settings.url)
        options: dict[str, Any] = {**parse_url(url.direct)}
        kind = ATTENTIVE[options.get("connection_class", Connection)]
        if url.kind is Kind.SENTINEL:
            options["url"] = url
            kind = type("Found", (AsyncFound, kind), {})
        options["connection_class"] = kind
        self._pool: _Pool = BlockingConnectionPool(
            **options,
            max_connections=settings.pool_size,
            timeout=settings.timeout_s,
            socket_timeout=None,  # ours are in `execute` and in ATTENTIVE
            socket_connect_timeout=settings.timeout_s,
            protocol=2,
            driver_info=None,  # no CLIENT SETINFO, which Redis 5 does not know
            # redis-py's own retries would write a command again that was written already.
            retry=Retry(NoBackoff(), 0),
        )

    async def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several at once. Returns and raises what ``Link.execute`` does.

        Raises:
            RuntimeError: If it is used in a second event loop.
        """
        connection = await self._connected()
        answered = False
        try:
            async with asyncio.timeout(self._timeout_s):
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
            await self._pool.release(connection)
        # Out here, so that redis-py's error is not attached where it was left out on purpose.
        raise failure

    async def perform(self, steps: Steps) -> Any:
        """Send the commands of some steps, one after the other. Return their result.

        Raises:
            PublishError: What ``execute`` raises and the steps do not deal with.
        """
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

    async def close(self) -> None:
        """Close all connections. A command that another task has under way fails.

        Raises:
            RuntimeError: If it was used in another event loop.
        """
        self._stay_in_one_loop()
        await self._pool.disconnect()

    async def _connected(self) -> _Connection:
        """Take a connection that stands: new, or idle and not closed by Redis meanwhile."""
        self._stay_in_one_loop()
        attempts = Attempts(self._timeout_s)
        while True:
            try:
                return await self._pool.get_connection()
            except (RedisError, TimeoutError) as error:
                failure = before_writing(error)
            await asyncio.sleep(attempts.pause_after(failure))

    def _stay_in_one_loop(self) -> None:
        # In a second loop the command would be written and its answer never be seen.
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            message = "an AsyncPublisher stays in one event loop: make one in each loop"
            raise RuntimeError(message)


async def _answer_or_refusal(connection: _Connection) -> Any:
    try:
        return await connection.read_response()
    except ResponseError as error:
        return after_writing(error)
