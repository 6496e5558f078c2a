"""What is looked at once a second."""

import asyncio
import itertools

import pytest

from channel_server.metrics import REMOTE, Histogram
from channel_server.operating.pulse import Pulse


async def look(pulse, seen, times):
    """Let it look so often."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(pulse.run(every_s=0))
        while await seen.get() < times:
            pass
        running.cancel()


@pytest.mark.asyncio
async def test_samples_are_kept_for_five_minutes_and_lateness_is_counted():
    seen, numbers = asyncio.Queue(), itertools.count(1)
    lag = Histogram(REMOTE)

    def sample():
        number = next(numbers)
        seen.put_nowait(number)
        return {"messages": number}

    pulse = Pulse(lag, sample)
    await look(pulse, seen, 302)

    assert len(pulse.history) == 300
    assert [each["messages"] for each in pulse.history][:2] == [3, 4]
    assert all(each["loop_lag_s"] >= 0 for each in pulse.history)
    assert lag.count == 302


@pytest.mark.asyncio
async def test_without_samples_nothing_is_kept():
    ticks, seen = itertools.count(), asyncio.Queue()

    def clock():
        seen.put_nowait(next(ticks))
        return 0.0

    pulse = Pulse(Histogram(REMOTE), clock=clock)
    await look(pulse, seen, 10)

    assert not pulse.history


@pytest.mark.asyncio
async def test_what_cannot_be_looked_at_does_not_end_the_server(caplog):
    """Found in review: the task is in the group of all tasks."""
    seen, numbers = asyncio.Queue(), itertools.count(1)

    def sample():
        seen.put_nowait(next(numbers))
        raise ValueError("words of a message")

    await look(Pulse(Histogram(REMOTE), sample), seen, 3)

    assert [record.getMessage() for record in caplog.records] == ["sample failed"]
