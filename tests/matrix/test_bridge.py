"""What is heard and cannot be recorded yet."""

import asyncio
import contextlib
import json

import pytest

from channel_server.adapters.outbox import Recorded
from channel_server.bots.bridge import Bridge
from channel_server.errors import RedisLost
from channel_server.metrics import Metrics
from tests.integration.program import until

pytestmark = pytest.mark.asyncio
GOOD = {"server": "http://a", "access_token": "x", "channel": "!r", "message": "m"}


class SlowOutbox:
    """Stands in for one whose Redis is away for a while, which no real one is on demand."""

    def __init__(self):
        self.is_away = True
        self.asked = 0
        self.recorded = []

    async def record(self, hearing, channel, payload):
        self.asked += 1
        if self.is_away:
            raise RedisLost("away")
        self.recorded.append((hearing.number, channel, payload))
        return Recorded.NEW


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def outbox():
    return SlowOutbox()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def bridge(outbox, metrics, clock):
    return Bridge(
        outbox, node="n", max_age_s=60, recorded=lambda: None, metrics=metrics, clock=clock
    )


async def cancel(task):
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_goes_on_where_it_was_stopped(bridge, outbox):
    payload = json.dumps(GOOD).encode()
    first = asyncio.create_task(bridge.run())
    assert bridge.heard("chatbot/test", payload) == len(payload)
    await until(lambda: outbox.asked, "the first attempt")
    await cancel(first)
    outbox.is_away = False
    second = asyncio.create_task(bridge.run())
    await asyncio.wait_for(bridge.flush(), 5)
    assert outbox.recorded == [(1, "chatbot/test", payload)]
    await cancel(second)


async def test_what_has_become_too_old_is_dropped(bridge, outbox, metrics, clock):
    bridge.heard("chatbot/test", json.dumps(GOOD).encode())
    clock.now_s = 61.0
    bridge.heard("chatbot/test", json.dumps(GOOD).encode())
    outbox.is_away = False
    task = asyncio.create_task(bridge.run())
    await asyncio.wait_for(bridge.flush(), 5)
    assert metrics.bots_expired == 1
    assert [number for number, _, _ in outbox.recorded] == [2]
    await cancel(task)


async def test_what_waits_is_bounded(bridge, outbox, metrics):
    payload = json.dumps({**GOOD, "message": "x" * 60_000}).encode()
    for _ in range(1000):
        bridge.heard("chatbot/test", payload)
    kept = 1000 - metrics.bots_overflowed
    assert 0 < kept * len(payload) <= 16 * 1024 * 1024
    outbox.is_away = False
    task = asyncio.create_task(bridge.run())
    await until(lambda: len(outbox.recorded) == kept, "all that were kept")
    await cancel(task)
