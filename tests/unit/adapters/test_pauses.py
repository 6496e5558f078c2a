"""Back-off by number of attempt."""

import asyncio

import pytest

from channel_server.adapters.pauses import Pauses


def test_pause_doubles_from_50_ms_to_1_s():
    pauses = Pauses(lambda: 1.0)

    assert [pauses.seconds(attempt) for attempt in range(1, 10)] == pytest.approx(
        [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0]
    )


def test_pause_is_at_least_half_of_its_length():
    """Chance keeps many servers from returning in the same moment, and none from waiting."""
    shortest, longest = Pauses(lambda: 0.0), Pauses(lambda: 1.0)

    for attempt in range(1, 20):
        assert shortest.seconds(attempt) == pytest.approx(longest.seconds(attempt) / 2)


def test_pause_stays_the_longest_however_often_it_failed():
    """A Redis that is away for a year: 2.0 ** attempt must not overflow."""
    assert Pauses(lambda: 1.0).seconds(10**6) == 1.0


def test_chance_is_asked_for_every_pause():
    chances = iter((0.0, 1.0))
    pauses = Pauses(lambda: next(chances))

    assert pauses.seconds(1) == pytest.approx(0.025)
    assert pauses.seconds(1) == pytest.approx(0.05)


@pytest.mark.asyncio
async def test_when_one_connection_stands_the_others_wait_no_longer():
    pauses = Pauses(lambda: 1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    waiting = [asyncio.create_task(pauses.wait(20)) for _ in range(2)]
    await asyncio.sleep(0)

    pauses.end()
    await asyncio.gather(*waiting)
    await pauses.wait(20, at_most_s=0.01)

    assert loop.time() - began < 0.9


@pytest.mark.asyncio
async def test_a_connection_that_was_of_no_use_waits_its_time():
    """Found in review: two of them woke each other, 2,844 connections in three seconds."""
    pauses = Pauses(lambda: 1.0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    waiting = asyncio.create_task(pauses.wait(3, is_away=False))
    await asyncio.sleep(0)

    pauses.end()
    await waiting

    assert loop.time() - began >= 0.19
