"""Event loops of an AsyncPublisher. The rest: tests/integration/test_publisher_faults.py."""

import asyncio
import subprocess
import sys

import pytest

from publisher import AsyncPublisher, PublishError

RECORDS = {"events": [{"id": 91}]}

pytestmark = pytest.mark.redis


@pytest.fixture
def publisher(redis_server):
    return AsyncPublisher.from_url(redis_server.url)


async def publish(publisher):
    return await publisher.publish_records(RECORDS, group_id=7)


def test_a_second_loop_is_told_what_to_do(publisher):
    """In there the command would be sent, and its answer never be seen."""
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(publish(publisher))
        with pytest.raises(PublishError, match="await close"):
            second.run(publish(publisher))
        with pytest.raises(PublishError, match="an AsyncPublisher for each loop"):
            second.run(publisher.close())
        first.run(publisher.close())

        assert second.run(publish(publisher)) == 0
        second.run(publisher.close())


FORGOTTEN = """
import asyncio, sys
from publisher import AsyncPublisher

publisher = AsyncPublisher.from_url(sys.argv[1])
for number in range(3):
    print(asyncio.run(publisher.publish_records({"n": [number]}, group_id=7)))
asyncio.run(publisher.close())
"""


def test_a_loop_that_is_closed_is_forgotten(redis_server):
    """Found with FastAPI's TestClient: each runs a loop of its own, and nobody closes.

    In a program of its own: Python warns of what such a loop has left open.
    """
    argv = [sys.executable, "-c", FORGOTTEN, redis_server.url]

    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["0", "0", "0"]


OTHERS = """
import asyncio, sys
import redis.asyncio
from publisher import AsyncPublisher, PublishError

publisher = AsyncPublisher(client=redis.asyncio.Redis.from_url(sys.argv[1]))

async def publish():
    return await publisher.publish_records({"events": [{"id": 91}]}, group_id=7)

asyncio.run(publish())
try:
    asyncio.run(publish())
except PublishError as error:
    print(error)
"""


def test_a_client_of_a_loop_that_is_closed_is_told_so(redis_server):
    """In a process of its own: redis-py leaves its connection to the collector."""
    program = [sys.executable, "-c", OTHERS, redis_server.url]
    done = subprocess.run(program, capture_output=True, text=True, check=True)

    assert "event loop that is closed: make another client" in done.stdout
