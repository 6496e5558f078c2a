"""Event loops of an AsyncPublisher. The rest: tests/integration/test_publisher_faults.py."""

import asyncio
import subprocess
import sys

import pytest

from publisher import AsyncPublisher, PublishError
from publisher.contract.journal import JOURNAL

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
from publisher.contract.journal import JOURNAL

outcomes = []
publisher = AsyncPublisher(
    client=redis.asyncio.Redis.from_url(sys.argv[1]), on_publish=lambda *told: outcomes.append(told[-1])
)

async def publish():
    return await publisher.publish_records({"events": [{"id": 91}]}, group_id=7)

async def publish_plainly():
    await publisher.publish_records({"events": [{"id": 91}]}, to_nobody=True)

with asyncio.Runner() as first, asyncio.Runner() as second:
    first.run(publish())
    for work in (publish, publish_plainly):
        try:
            second.run(work())
        except PublishError as error:
            print(error.maybe_sent, error)
asyncio.run(publish())
print(*outcomes)
"""


def test_a_client_of_another_loop_is_unknown_or_repeated(redis_server):
    """The message was kept, and told as unsent. In a process of its own, as above."""
    with redis_server.client() as redis:
        before = redis.xlen(JOURNAL)
        program = [sys.executable, "-W", "ignore", "-c", OTHERS, redis_server.url]
        done = subprocess.run(program, capture_output=True, text=True, check=True)
        kept = redis.xlen(JOURNAL) - before

    *errors, outcomes = done.stdout.splitlines()
    assert all(error.startswith("True ") and "make one for each" in error for error in errors)
    assert "unsent" not in outcomes
    assert outcomes.split().count("sent") <= kept + 1  # what goes to nobody is not kept
