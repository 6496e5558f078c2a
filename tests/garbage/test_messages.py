"""What a message leaves behind: nothing that only the collector of cycles could free.

Found in the soak: what was appended to the journal stayed, payload and all, because the function
that waited for the answer named itself.
"""

import asyncio
import json

import pytest

from publisher import Publisher
from tests.garbage.crowd import is_little

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

MESSAGES = 1_000
RECORD = {"comments": [{"id": 1, "body": "hi"}]}


def publish_plainly(redis_server):
    with redis_server.client() as redis:
        for _ in range(MESSAGES):
            redis.publish("/records", json.dumps({"room": "group-1", "records": RECORD}))


def publish_with_the_library(redis_server):
    with Publisher.from_url(redis_server.url) as publisher:
        for _ in range(MESSAGES):
            publisher.publish_records(RECORD, group_id=1)


def order(redis_server):
    with Publisher.from_url(redis_server.url) as publisher:
        for _ in range(MESSAGES):
            publisher.disconnect_user(1)


def publish_nonsense(redis_server):
    with redis_server.client() as redis:
        for _ in range(MESSAGES):
            redis.publish("/records", "nonsense")


@pytest.mark.parametrize(
    "publish",
    [publish_plainly, publish_with_the_library, order, publish_nonsense],
    ids=lambda publish: publish.__name__,
)
async def test_a_message_leaves_nothing_behind(live, redis_server, publish):
    await asyncio.to_thread(live.measure)
    await asyncio.to_thread(publish, redis_server)

    garbage = (await asyncio.to_thread(live.measure))["garbage"]
    assert is_little(garbage), garbage
