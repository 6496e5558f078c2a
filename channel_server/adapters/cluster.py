"""Which node of a Redis Cluster has our keys: all of them are in one slot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot

from channel_server.adapters.hosts import first_of
from channel_server.errors import RedisLost
from publisher.contract.journal import JOURNAL

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl

_SLOT: Final = key_slot(JOURNAL.encode())


async def node_of(url: RedisUrl) -> str:
    """Ask the nodes who has the slot.

    Args:
        url: Of the cluster.

    Returns:
        The URL of that node, for redis-py.

    Raises:
        RedisLost: If none of them knows.
    """

    async def ask(host: str, port: int) -> tuple[str, int]:
        client = Redis.from_url(
            url.at(host, port), protocol=2, driver_info=None, retry=Retry(NoBackoff(), 0)
        )
        async with client:
            slots = await client.cluster("SLOTS")
        for first, last, (said, number, *_), *_ in slots:
            if first <= _SLOT <= last:
                # A node need not know its own name: then it is the one by which it was asked.
                name = (said or b"").decode().strip("?") or host
                name.encode("idna")
                return name, number
        raise RedisLost("knows nobody who has our keys")

    try:
        return url.at(*await first_of(url.hosts, ask))
    except RedisLost as lost:
        count = len(url.hosts)
        raise RedisLost(
            f"{count} nodes of the cluster asked for our keys: {lost.reason}"
        ) from None
