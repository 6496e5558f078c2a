"""A crowd gets through a little at a time, in order; one alone goes through at once."""

import asyncio
import itertools

import pytest

from channel_server.engine.turns import FirstWords, Turns

pytestmark = pytest.mark.asyncio


async def test_who_comes_alone_passes_at_once():
    turns = Turns(2)

    for _ in range(5):
        assert turns.may_pass()
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_a_crowd_passes_in_its_order_so_many_in_a_turn():
    turns, passed, others = Turns(2), [], []

    async def come(number):
        await turns.take()
        passed.append(number)

    async def other_work():
        while len(passed) < 7:
            others.append(len(passed))
            await asyncio.sleep(0)

    async with asyncio.timeout(5):
        await asyncio.gather(*(come(number) for number in range(7)), other_work())

    assert passed == list(range(7))
    assert all(later - earlier <= 2 for earlier, later in itertools.pairwise(others))


async def test_who_comes_later_waits_behind_those_who_wait():
    turns, passed = Turns(1), []
    assert turns.may_pass()
    assert not turns.may_pass()
    turns.call_later(lambda: passed.append("first"))

    assert not turns.may_pass()
    turns.call_later(lambda: passed.append("second"))

    async with asyncio.timeout(5):
        while len(passed) < 2:  # noqa: ASYNC110 - nothing says so
            await asyncio.sleep(0)
    assert passed == ["first", "second"]


async def test_who_gives_up_holds_nobody_up():
    turns = Turns(1)
    await turns.take()
    loop = asyncio.get_running_loop()
    gone = loop.create_task(turns.take())
    stays = loop.create_task(turns.take())
    await asyncio.sleep(0)

    gone.cancel()

    async with asyncio.timeout(5):
        await stays


async def test_nothing_is_left_running_when_nobody_comes():
    turns = Turns(1)
    turns.may_pass()

    for _ in range(3):
        await asyncio.sleep(0)

    assert not turns._is_next_due


class Transport:
    def __init__(self):
        self.calls = []

    def is_closing(self):
        return "abort" in self.calls

    def pause_reading(self):
        self.calls.append("pause")

    def resume_reading(self):
        self.calls.append("resume")


async def test_first_words_are_heard_at_once_where_there_is_no_crowd():
    heard, transport = [], Transport()

    FirstWords(Turns(1), heard.append).hear(transport, b"hello")

    assert heard == [b"hello"]
    assert transport.calls == []


@pytest.mark.parametrize("end", [[], ["abort"]])
async def test_in_a_crowd_nothing_more_is_read_until_the_first_words_are_heard(end):
    turns, heard, transport = Turns(1), [], Transport()
    turns.may_pass()

    FirstWords(turns, heard.append).hear(transport, b"hello")
    assert heard == []
    assert transport.calls == ["pause"]

    transport.calls += end
    async with asyncio.timeout(5):
        while not heard:  # noqa: ASYNC110 - nothing says so
            await asyncio.sleep(0)
    assert heard == [b"hello"]
    assert transport.calls == ["pause", *(end or ["resume"])]
