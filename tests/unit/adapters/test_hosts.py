"""One question to several hosts, without a network."""

import asyncio
import time

import pytest

from channel_server.adapters.hosts import first_of
from channel_server.errors import RedisLost

pytestmark = pytest.mark.asyncio

HOSTS = [("first", 1), ("second", 2), ("third", 3)]


async def test_the_first_answer_counts():
    async def ask(host, port):
        if host == "first":
            await asyncio.get_running_loop().create_future()
        return host, port

    assert await first_of(HOSTS, ask) == ("second", 2)
    assert len(asyncio.all_tasks()) == 1


async def test_all_reasons_are_told_once():
    async def ask(host, _):
        raise RedisLost("away") if host == "first" else OSError("secret")

    with pytest.raises(RedisLost, match="away, OSError"):
        await first_of(HOSTS, ask)


async def test_an_answer_at_the_moment_of_a_time_out_leaves_the_task_as_it_was():
    """The subscription's task ended without a word when Sentinels answered in that moment."""

    async def ask(host, port):
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251 - time is up when we return
        return host, port

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await first_of(HOSTS, ask)

    assert asyncio.current_task().cancelling() == 0
