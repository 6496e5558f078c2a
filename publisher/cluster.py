"""Publishing through a Redis Cluster, with redis-py's own client. See ``publisher.link``.

redis-py knows which node has which key, follows those that move, and tries again by itself, also what
may have been executed: scripts tell a repetition by its message id. What is published without one
may come twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from redis import RedisCluster
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.connection import AbstractConnection as AsyncAbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.connection import AbstractConnection
from redis.retry import Retry

from publisher.aio_link import OneLoopLink
from publisher.client_link import FAILURES, AsyncClientLink, ClientLink, without_words
from publisher.connection import OurPool
from publisher.deadline import left_s
from publisher.failures import before_writing
from publisher.redis_versions import once_more, silent

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from publisher.command import Command, Pipeline
    from publisher.contract.redis_url import RedisUrl
    from publisher.settings import Settings

_NODE_WITHIN_S: Final = 1.0
"""One that stands still is left for its replica after this time, or a quarter of the time-out."""
_MORE_TRIES: Final = 1
"""Of redis-py, for a command: with what it has learnt about the nodes from the first failure."""


class ClusterLink(ClientLink):
    """Sends commands and waits for their answers; connects with the first one."""

    def __init__(self, url: RedisUrl, settings: Settings) -> None:
        super().__init__(None, settings.timeout_s)
        self.is_cluster = True
        self._url = url
        self._settings = settings
        self._connecting = threading.Lock()

    def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several one after the other. As ``Link.execute``."""
        with self._connecting:
            if self._client is None:
                self._client = self._connect()
        return super().execute(command)

    def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> RedisCluster:
        (host, port), *_ = self._url.hosts
        try:
            return RedisCluster.from_url(
                self._url.at(host, port),
                startup_nodes=[ClusterNode(*place) for place in self._url.hosts],  # type: ignore[no-untyped-call]
                connection_pool_class=OurPool,
                **once_more(Retry(NoBackoff(), _MORE_TRIES)),
                **silent(AbstractConnection),
                **_options(self._settings),
            )
        except FAILURES as error:
            failure = without_words(before_writing(error))
        raise failure


class _Nodes(NamedTuple):
    """Connections of one event loop.

    Attributes:
        client: redis-py's.
        turns: As many commands are under way: redis-py refuses too many, and does not wait.
    """

    client: AsyncRedisCluster
    turns: asyncio.Semaphore


class AsyncClusterLink(OneLoopLink[_Nodes]):
    """The same, for asyncio."""

    def __init__(self, url: RedisUrl, settings: Settings) -> None:
        super().__init__(settings.timeout_s)
        self.is_cluster = True
        self._url = url
        self._settings = settings

    def _make(self) -> _Nodes:
        (host, port), *_ = self._url.hosts
        client: AsyncRedisCluster = AsyncRedisCluster.from_url(
            self._url.at(host, port),
            startup_nodes=[AsyncClusterNode(host, port) for host, port in self._url.hosts],
            **once_more(AsyncRetry(NoBackoff(), _MORE_TRIES)),
            **silent(AsyncAbstractConnection),
            **_options(self._settings),
        )
        return _Nodes(client, asyncio.Semaphore(self._settings.pool_size))

    async def _let_go(self, connections: _Nodes) -> None:
        await getattr(connections.client, "aclose", connections.client.close)()

    async def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several one after the other. As ``Link.execute``."""
        client, turns = self._connections()
        try:
            async with asyncio.timeout(left_s()):
                client = await client.initialize()
        except FAILURES as error:
            failure = without_words(before_writing(error))
        else:
            async with _turn(turns):
                return await AsyncClientLink(client).execute(command)
        raise failure


@contextlib.asynccontextmanager
async def _turn(turns: asyncio.Semaphore) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(left_s()):
            await turns.acquire()
    except TimeoutError as error:
        raise before_writing(error) from error
    try:
        yield
    finally:
        turns.release()


def _options(settings: Settings) -> dict[str, Any]:
    """For redis-py, which asks again who has which key only after a time-out of its own."""
    node_s = min(_NODE_WITHIN_S, settings.timeout_s / 4)
    return {
        "socket_timeout": node_s,
        "socket_connect_timeout": node_s,
        "protocol": 2,
        **settings.redis_options,
    }
