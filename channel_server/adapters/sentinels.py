"""Which Redis is the primary, asked of Sentinels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ReadOnlyError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from channel_server.adapters.hosts import first_of
from channel_server.errors import RedisLost
from publisher.contract.journal import NONE

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl


async def primary_of(url: RedisUrl) -> str:
    """Ask the Sentinels. Return the URL of the primary, for redis-py. Raises ``RedisLost``."""
    return url.at(*await place_of(url))


async def place_of(url: RedisUrl, known: tuple[str, int] | None = None) -> tuple[str, int]:
    """Ask the Sentinels.

    Args:
        url: Theirs.
        known: Is not connected to, to see whether it takes writes: who asks knows.

    Returns:
        Host and port of the primary.

    Raises:
        RedisLost: If none of them names one that is up.
    """

    async def ask(host: str, port: int) -> tuple[str, int]:
        sentinel = Sentinel([])  # type: ignore[no-untyped-call]
        async with _client(url.sentinel_at(host, port)) as client:
            sentinel.sentinels = [client]
            await client.ping()  # says why not, of which redis-py tells little below
            try:
                found: tuple[str, int] = await sentinel.discover_master(url.service)
            except MasterNotFoundError:
                raise RedisLost("no such primary is up") from None
        found[0].encode("idna")
        if found != known:
            await _check(url.at(*found))
        return found

    try:
        return await first_of(url.hosts, ask)
    except RedisLost as lost:
        raise RedisLost(f"{len(url.hosts)} Sentinels asked: {lost.reason}") from None


async def _check(url: str) -> None:
    """Make sure that it takes writes: one Sentinel may know less than the others."""
    try:
        async with _client(url) as redis:
            await redis.delete(NONE)
    except ReadOnlyError:
        raise RedisLost("one that was named is a replica") from None
    except (AuthenticationError, ResponseError):
        pass  # who connects is told in Redis' words
    except (RedisConnectionError, OSError):
        raise RedisLost("one that was named cannot be reached") from None


def _client(url: str) -> Redis:
    return Redis.from_url(url, protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0))
