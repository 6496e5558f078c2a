"""Publishing through a Redis Cluster, with redis-py's own client. See ``publisher.link``.

redis-py knows which node has which key, follows those that move, and tries again by itself, also what
may have been executed: scripts tell a repetition by its message id. What is published without one
may come twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from redis import RedisCluster, RedisError
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisClusterException
from redis.retry import Retry

from publisher.aio_link import AsyncLink
from publisher.command import Pipeline
from publisher.errors import PublishError
from publisher.failures import after_writing, before_writing
from publisher.link import Link
from publisher.tls_connection import TicketPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from publisher.command import Command
    from publisher.contract.redis_url import RedisUrl
    from publisher.settings import Settings

_FAILURES: Final = (RedisClusterException, RedisError, OSError, TimeoutError)
_NODE_WITHIN_S: Final = 1.0
"""One that stands still is left for its replica after this time, or a quarter of the time-out."""
_MORE_TRIES: Final = 1
"""Of redis-py, for a command: with what it has learnt about the nodes from the first failure."""


class ClusterLink(Link):
    """Sends commands and waits for their answers; connects with the first one."""

    def __init__(self, url: RedisUrl, settings: Settings) -> None:
        self._url = url
        self._settings = settings
        self._client: RedisCluster | None = None
        self._connecting = threading.Lock()

    def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several one after the other. As ``Link.execute``."""
        client = self._connected()
        if isinstance(command, Pipeline):
            return [self._execute_or_refusal(each) for each in command.commands]
        try:
            return client.execute_command(*command.words)
        except _FAILURES as error:
            failure = _without_words(after_writing(error))
        # Out here, so that redis-py's error is not attached where it was left out on purpose.
        raise failure

    def _execute_or_refusal(self, command: Command) -> Any:
        try:
            return self.execute(command)
        except PublishError as error:
            return error

    def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connected(self) -> Any:
        with self._connecting:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def _connect(self) -> RedisCluster:
        (host, port), *_ = self._url.hosts
        try:
            return RedisCluster.from_url(
                self._url.at(host, port),
                startup_nodes=[ClusterNode(*place) for place in self._url.hosts],  # type: ignore[no-untyped-call]
                connection_pool_class=TicketPool,
                retry=Retry(NoBackoff(), _MORE_TRIES),
                **_options(self._settings.timeout_s),
            )
        except _FAILURES as error:
            failure = _without_words(before_writing(error))
        raise failure


class AsyncClusterLink(AsyncLink):
    """The same, for asyncio."""

    def __init__(self, url: RedisUrl, settings: Settings) -> None:
        self._timeout_s = settings.timeout_s
        self._loop = None
        self._url = url
        self._cluster: AsyncRedisCluster | None = None
        self._turns = asyncio.Semaphore(settings.pool_size)

    async def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several one after the other. As ``AsyncLink.execute``."""
        client = await self._client()
        if isinstance(command, Pipeline):
            return [await self._execute_or_refusal(each) for each in command.commands]
        try:
            async with self._turn(), asyncio.timeout(self._timeout_s):
                return await client.execute_command(*command.words)
        except _FAILURES as error:
            failure = _without_words(after_writing(error))
        raise failure

    async def _execute_or_refusal(self, command: Command) -> Any:
        try:
            return await self.execute(command)
        except PublishError as error:
            return error

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """One of ``pool_size`` commands under way: redis-py refuses too many, and does not wait."""
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._turns.acquire()
        except TimeoutError as error:
            raise before_writing(error) from error
        try:
            yield
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Close all connections."""
        self._stay_in_one_loop()
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            await cluster.aclose()

    async def _client(self) -> AsyncRedisCluster:
        self._stay_in_one_loop()
        if self._cluster is None:
            (host, port), *_ = self._url.hosts
            self._cluster = AsyncRedisCluster.from_url(
                self._url.at(host, port),
                startup_nodes=[AsyncClusterNode(host, port) for host, port in self._url.hosts],
                retry=AsyncRetry(NoBackoff(), _MORE_TRIES),
                **_options(self._timeout_s),
            )
        try:
            async with asyncio.timeout(self._timeout_s):
                self._cluster = await self._cluster.initialize()
        except _FAILURES as error:
            failure = _without_words(before_writing(error))
        else:
            return self._cluster
        raise failure


def _options(timeout_s: float) -> dict[str, Any]:
    """For redis-py, which asks again who has which key only after a time-out of its own."""
    node_s = min(_NODE_WITHIN_S, timeout_s / 4)
    return {
        "socket_timeout": node_s,
        "socket_connect_timeout": node_s,
        "protocol": 2,
        "driver_info": None,
    }


def _without_words(failure: PublishError) -> PublishError:
    """Drop a cause that may quote a command: redis-py puts Redis' words into its own errors."""
    if isinstance(failure.__cause__, RedisClusterException):
        failure.__cause__ = None
    return failure
