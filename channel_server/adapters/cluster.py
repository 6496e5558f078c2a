"""Which node of a Redis Cluster has our keys: all of them are in one slot."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError

from channel_server.adapters.refusals import words_of
from channel_server.errors import RedisLost
from publisher.contract.journal import JOURNAL

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl

_SLOT: Final = key_slot(JOURNAL.encode())
_WITHIN_S: Final = 1.0
"""Each of them; there are others."""


async def node_of(url: RedisUrl) -> str:
    """Ask one node after the other who has the slot.

    Args:
        url: Of the cluster.

    Returns:
        The URL of that node, for redis-py.

    Raises:
        RedisLost: If none of them knows.
    """
    reasons = []
    for host, port in url.hosts:
        client = Redis.from_url(
            url.at(host, port), protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0)
        )
        try:
            async with asyncio.timeout(_WITHIN_S), client:
                slots = await client.cluster("SLOTS")
        except TimeoutError:
            reasons.append("does not answer")
        except (OSError, RedisError) as error:
            reasons.append(words_of(error))
        else:
            for first, last, (name, number, *_), *_ in slots:
                if first <= _SLOT <= last:
                    return url.at(name.decode() or host, number)
            reasons.append("knows nobody who has our keys")
    said = ", ".join(dict.fromkeys(reasons))
    raise RedisLost(f"{len(url.hosts)} nodes of the cluster asked for our keys: {said}")
