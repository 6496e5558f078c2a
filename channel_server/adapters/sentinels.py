"""Which Redis is the primary, asked of Sentinels."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import MasterNotFoundError, Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from channel_server.adapters.refusals import words_of
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl

_WITHIN_S: Final = 1.0
"""Each of them; there are others."""


async def primary_of(url: RedisUrl) -> str:
    """Ask one Sentinel after the other, as their documentation wants it.

    Args:
        url: Theirs.

    Returns:
        The URL of the primary, for redis-py.

    Raises:
        RedisLost: If none of them knows of one that is up.
    """
    reasons = []
    for host, port in url.hosts:
        client = Redis.from_url(
            url.sentinel_at(host, port), protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0)
        )
        sentinel = Sentinel([])  # type: ignore[no-untyped-call]
        sentinel.sentinels = [client]
        try:
            async with asyncio.timeout(_WITHIN_S), client:
                return url.at(*await sentinel.discover_master(url.service))
        except MasterNotFoundError as error:
            reasons.append(_words_of(str(error)))
        except TimeoutError:
            reasons.append("does not answer")
        except (OSError, RedisError) as error:
            reasons.append(words_of(error))
    said = ", ".join(dict.fromkeys(reasons))
    raise RedisLost(f"{len(url.hosts)} Sentinels asked for the primary: {said}")


def _words_of(said: str) -> str:
    """What redis-py says about one Sentinel, without its words, which name hosts and users."""
    if "AuthenticationError" in said:
        return "lets us not in"
    if "ConnectionError" in said or "TimeoutError" in said:
        return "cannot be reached"
    return "knows of no such primary that is up"
