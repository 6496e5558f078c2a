"""The subscription under load: what Redis has sent is delivered, however long that takes."""

import asyncio
import contextlib
import time

import pytest

from channel_server.adapters.commands import Commands
from channel_server.adapters.feed import Feed
from channel_server.adapters.pauses import Pauses
from publisher.contract import RECORDS

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

MESSAGES = 200
PROBE_S = 0.1


async def test_a_backlog_that_takes_longer_than_a_probe_is_delivered_whole(redis_server):
    """Found in review: Redis was taken for silent while we were busy; 2,042 of 4,000 arrived."""
    delivered, changes = [], []
    stands, complete = asyncio.Event(), asyncio.Event()

    def change(is_up):
        changes.append(is_up)
        stands.set()

    def deliver(_channel, payload):
        busy_until = time.monotonic() + PROBE_S / 20
        while time.monotonic() < busy_until:
            pass
        delivered.append(int(payload))
        if len(delivered) == MESSAGES:
            complete.set()
        return 1 << 20  # a turn of the loop after each message

    pauses = Pauses(lambda: 0.0)
    commands = Commands(redis_server.url, probe_s=PROBE_S, pauses=pauses)
    feed = Feed(
        redis_server.url,
        [RECORDS],
        deliver,
        commands=commands,
        node="a",
        is_up=change,
        probe_s=PROBE_S,
        pauses=pauses,
    )
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(part.run()) for part in (commands, feed)]
        async with asyncio.timeout(10):
            await stands.wait()
            with redis_server.client() as client, client.pipeline(transaction=False) as burst:
                for number in range(MESSAGES):
                    burst.publish(RECORDS, number)
                burst.execute()
            with contextlib.suppress(TimeoutError):
                await complete.wait()
        for part in running:
            part.cancel()

    assert delivered == list(range(MESSAGES))
    assert changes == [True, False]  # lost only when the test ended it
