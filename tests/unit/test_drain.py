"""Going away: first it is said, then clients go in equal waves; who is told twice goes at once."""

import asyncio
import time

import pytest

from channel_server.drain import drain
from channel_server.stop import Stop

pytestmark = pytest.mark.asyncio


class Client:
    left_at_s = None

    def close(self, reason):
        assert reason == "drain"
        self.left_at_s = time.monotonic()


class Engine:
    def __init__(self, clients):
        self.sessions = {number: Client() for number in range(clients)}
        self.is_draining = False


@pytest.mark.serial
async def test_clients_leave_in_equal_waves_over_the_whole_time():
    engine = Engine(100)
    began = time.monotonic()

    await drain(engine, Stop(), delay_s=0, over_s=1.0)

    assert engine.is_draining
    left = sorted(client.left_at_s - began for client in engine.sessions.values())
    waves = [
        len([each for each in left if n * 0.1 <= each + 0.01 < (n + 1) * 0.1]) for n in range(12)
    ]
    assert sum(waves) == 100
    assert left[0] < 0.1
    assert left[-1] >= 0.9
    assert max(left[number + 10] - left[number] for number in range(90)) >= 0.09


async def test_nobody_is_waited_for_when_nobody_is_there():
    async with asyncio.timeout(1):
        await drain(Engine(0), Stop(), delay_s=60, over_s=60)


async def test_the_delay_comes_first():
    engine, stop = Engine(1), Stop()
    draining = asyncio.get_running_loop().create_task(drain(engine, stop, delay_s=60, over_s=0))
    await asyncio.sleep(0)
    assert not engine.is_draining
    assert engine.sessions[0].left_at_s is None

    stop.ask()
    await asyncio.sleep(0)
    assert not draining.done()
    stop.ask()

    await draining
    assert engine.sessions[0].left_at_s is not None


async def test_who_is_hurried_sends_all_away_at_once():
    engine, stop = Engine(1000), Stop()
    stop.ask()
    stop.ask()

    async with asyncio.timeout(1):
        await drain(engine, stop, delay_s=60, over_s=60)

    assert all(client.left_at_s for client in engine.sessions.values())


async def test_without_time_all_go_in_one_wave():
    engine = Engine(10)

    await drain(engine, Stop(), delay_s=0, over_s=0)

    assert all(client.left_at_s for client in engine.sessions.values())


async def test_who_is_hurried_does_not_wait_for_what_is_under_way():
    stop = Stop()
    done = []

    async def work():
        stop.ask()
        stop.ask()
        await asyncio.Event().wait()
        done.append("never")

    await asyncio.wait_for(stop.unless_hurried(work()), 5)
    assert not done


async def test_who_is_not_hurried_waits():
    done = []

    async def work():
        done.append("work")

    await Stop().unless_hurried(work())
    assert done == ["work"]
