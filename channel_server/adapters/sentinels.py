"""Which Redis is the primary, asked of Sentinels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff

from channel_server.adapters.hosts import first_of
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl


async def primary_of(url: RedisUrl) -> str:
    """Ask the Sentinels.

    Args:
        url: Theirs.

    Returns:
        The URL of the primary, for redis-py.

    Raises:
        RedisLost: If none of them knows of one that is up.
    """

    async def ask(host: str, port: int) -> tuple[str, int]:
        client = Redis.from_url(
            url.sentinel_at(host, port), protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0)
        )
        sentinel = Sentinel([])  # type: ignore[no-untyped-call]
        sentinel.sentinels = [client]
        async with client:
            await client.ping()  # says why not, of which redis-py tells little below
            try:
                found: tuple[str, int] = await sentinel.discover_master(url.service)
            except MasterNotFoundError:
                raise RedisLost("knows of no such primary that is up") from None
        found[0].encode("idna")
        return found

    try:
        return url.at(*await first_of(url.hosts, ask))
    except RedisLost as lost:
        count = len(url.hosts)
        raise RedisLost(f"{count} Sentinels asked for the primary: {lost.reason}") from None
