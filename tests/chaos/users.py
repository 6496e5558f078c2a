"""Who the clients are: users 1, 2, 3 …, every other one in the same group."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final

from publisher.contract import CURRENT_USERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import redis.asyncio

GROUPS: Final = (1, 2)
ROOMS: Final = tuple(f"group-{group}" for group in GROUPS)


def group_of(number: int) -> int:
    """The only group of user ``number``."""
    return GROUPS[number % len(GROUPS)]


def token_of(number: int) -> str:
    """Channel token of user ``number``."""
    return f"3f6c1d2e-8a57-4b1c-9d0e-{number:012d}"


def numbers(size: int) -> Iterator[int]:
    """Numbers of the users of a crowd."""
    return itertools.islice(itertools.count(1), size)


async def store(connection: redis.asyncio.Redis, size: int) -> None:
    """Store all users, and leave them on the disk: a Redis that starts anew knows them."""
    async with connection.pipeline(transaction=False) as pipeline:
        for number in numbers(size):
            user = {"name": "Ann", "group_ids": [group_of(number)], "id": number}
            pipeline.set(f"{CURRENT_USERS}{token_of(number)}", json.dumps(user))
        pipeline.save()
        await pipeline.execute()
