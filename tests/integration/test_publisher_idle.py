"""Connections that have ended while nobody used them: load balancers, NAT and meshes do that."""

import asyncio

import pytest
import uvloop

from publisher import AsyncPublisher, Publisher
from tests.faults.link import Link
from tests.integration.both import pool_of

pytestmark = pytest.mark.redis

RECORDS = {"events": [{"id": 91}]}
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
ENDS = {"FIN": Link.cut, "RST": Link.reset, "half-open": Link.stall}
AT_ONCE = 10
ROUNDS = 3
PATIENCE_S = {"FIN": 10, "RST": 10, "half-open": 1}  # nothing else ends one that is half-open


@pytest.fixture
def link(redis_server):
    with Link(redis_server.socket) as link:
        link.url = f"redis://127.0.0.1:{link.port}"
        yield link


@pytest.fixture
def listener(redis_server):
    with redis_server.listen("/records") as listener:
        yield listener


async def publish(publisher, count):
    calls = [publisher.publish_records(RECORDS, group_id=7) for _ in range(count)]
    return await asyncio.gather(*calls)


async def is_noticed(publisher):
    """Return when the loop has seen the end of all idle connections."""
    for connection in pool_of(publisher)._available_connections:
        while not (connection._reader.at_eof() or connection._reader.exception()):  # noqa: ASYNC110
            await asyncio.sleep(0)


@pytest.mark.parametrize("count", [1, AT_ONCE])
@pytest.mark.parametrize("loop_was_busy", [False, True], ids=["noticed", "unnoticed"])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("loop", LOOPS)
def test_the_next_call_succeeds(link, listener, loop, end, loop_was_busy, count):
    """After a reset all calls failed for ever: ValueError, file descriptor -1, with Redis up."""

    async def scenario():
        async with AsyncPublisher.from_url(link.url, timeout_s=PATIENCE_S[end]) as publisher:
            assert await publish(publisher, AT_ONCE) == [1] * AT_ONCE
            ENDS[end](link)
            if not (loop_was_busy or end == "half-open"):
                await is_noticed(publisher)
            for _ in range(ROUNDS):
                assert await publish(publisher, count) == [1] * count

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(scenario())

    assert len(listener.heard()) == AT_ONCE + ROUNDS * count


@pytest.mark.parametrize("end", ENDS)
def test_the_next_call_succeeds_without_a_loop(link, listener, end):
    with Publisher.from_url(link.url, timeout_s=PATIENCE_S[end]) as publisher:
        pool = pool_of(publisher)
        taken = [pool.get_connection() for _ in range(AT_ONCE)]
        for connection in taken:
            pool.release(connection)
        ENDS[end](link)
        for _ in range(ROUNDS):
            assert publisher.publish_records(RECORDS, group_id=7) == 1

    assert len(listener.heard()) == ROUNDS
