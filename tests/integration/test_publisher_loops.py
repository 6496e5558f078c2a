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
