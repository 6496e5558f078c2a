"""Who a channel token stands for, in a Redis Cluster: each token may be at another node."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError, ResponseError

from channel_server.adapters.directory import Directory
from channel_server.core import users
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract import CURRENT_USERS
from publisher.contract.journal import TOKENS, TOKENS_SPARE_S
from publisher.contract.redis_url import Kind, read_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from channel_server.adapters.commands import Commands
    from channel_server.core.names import UserId
    from channel_server.core.users import Identity
    from publisher.contract.redis_url import RedisUrl

_AT_ONCE: Final = 32
"""Commands under way to a node: it has 100 connections in redis-py, which then refuses."""
_RENEWALS: Final = 8
"""Of them at most, so that those who come are not held up by those who are there."""
_NODE_WITHIN_S: Final = 1.0
"""One that stands still is left for its replica: redis-py then asks who has which key."""


class ClusterDirectory:
    """Looks tokens up with redis-py's own client of clusters. As ``directory.Directory``.

    Args:
        url: Of the cluster.
        patience_s: After this long without an answer the look-up fails.
        token_ttl_s: The full length of a TTL.
    """

    def __init__(self, url: RedisUrl, *, patience_s: float, token_ttl_s: int) -> None:
        self._url = url
        self._patience_s = patience_s
        self._token_ttl_s = token_ttl_s
        self._cluster: RedisCluster | None = None
        self._turns = defaultdict[str, asyncio.Semaphore](partial(asyncio.Semaphore, _AT_ONCE))
        self._due: dict[str, int] = {}
        self._is_any = asyncio.Event()

    async def find(self, token: str) -> Identity | None:
        """Look a token up. As ``Directory.find``."""
        key = CURRENT_USERS + token
        try:
            async with asyncio.timeout(self._patience_s), self._turn(key) as cluster:
                stored = await cluster.get(key)
        except ResponseError as error:
            code = error.status_code or "ERR"
            if code == "WRONGTYPE":
                return None
            raise RedisRefused(code) from None
        except (RedisClusterException, RedisError, OSError, TimeoutError):
            raise RedisLost("no answer to a look-up") from None
        if stored is None:
            return None
        self._later({key: self._token_ttl_s})
        return users.read(stored)

    def renew(self, owners: Iterable[tuple[str, UserId]]) -> None:
        """Give tokens their full time again, soon; without a connection nothing."""
        lengths: dict[str, int] = {}
        for token, user_id in owners:
            lengths[CURRENT_USERS + token] = self._token_ttl_s
            lengths[TOKENS + user_id] = self._token_ttl_s + TOKENS_SPARE_S
        self._later(lengths)

    def _later(self, lengths: dict[str, int]) -> None:
        self._due |= lengths
        if lengths:
            self._is_any.set()

    async def run(self) -> NoReturn:
        """Renew until cancelled."""
        try:
            while True:
                await self._is_any.wait()
                self._is_any.clear()
                due, self._due = list(self._due.items()), {}
                for start in range(0, len(due), _RENEWALS):
                    await asyncio.gather(*map(self._renew, due[start : start + _RENEWALS]))
        finally:
            await self.close()

    async def _renew(self, entry: tuple[str, int]) -> None:
        """A longer TTL is not shortened, and what has none gets none."""
        key, full_s = entry
        with contextlib.suppress(RedisClusterException, RedisError, OSError, TimeoutError):
            async with asyncio.timeout(self._patience_s), self._turn(key) as cluster:
                left_s = await cluster.ttl(key)
                if 0 < left_s < full_s:
                    await cluster.expire(key, full_s)

    async def close(self) -> None:
        """Close all connections."""
        if self._cluster is not None:
            await self._cluster.aclose()

    @contextlib.asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[Any]:
        """One of the commands under way to the node of a key: one that is slow holds up no other."""
        cluster: Any = self._cluster
        if cluster is None:
            (host, port), *_ = self._url.hosts
            node_s = min(_NODE_WITHIN_S, self._patience_s / 4)
            cluster = self._cluster = RedisCluster.from_url(
                self._url.at(host, port),
                startup_nodes=[ClusterNode(*place) for place in self._url.hosts],
                socket_timeout=node_s,
                socket_connect_timeout=node_s,
                retry=Retry(NoBackoff(), 1),
                protocol=2,
                driver_info=None,
            )
        await cluster.initialize()
        node = cluster.get_node_from_key(key)
        async with self._turns[node.name if node else ""]:
            yield cluster


def directory_of(
    url: str, commands: Commands, *, patience_s: float, token_ttl_s: int
) -> Directory | ClusterDirectory:
    """The directory for a URL: on the connection of ``commands``, unless it is a cluster's."""
    read = read_url(url)
    if read.kind is Kind.CLUSTER:
        return ClusterDirectory(read, patience_s=patience_s, token_ttl_s=token_ttl_s)
    return Directory(commands, patience_s=patience_s, token_ttl_s=token_ttl_s)
