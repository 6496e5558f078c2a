"""Pings, pongs and their absence, on both transports.

Source: Engine.IO protocol, "Heartbeat". Where a test lets time pass, the time is its input.
"""

import asyncio
import time

import pytest

from tests.conformance.wire import (
    LATE_MS,
    LIFE_MS,
    PING_INTERVAL_MS,
    PING_TIMEOUT_MS,
    Closed,
    Response,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.brief_times]


async def silence(duration_ms):
    """Say nothing for a while."""
    await asyncio.sleep(duration_ms / 1000)


async def test_polling_session_is_pinged_and_lives_while_it_answers(either):
    session = await either.session()

    for _ in range(3):
        assert (await session.poll()).text == "2"
        answer = await session.post("3")
        assert (answer.status, answer.text) == (200, "ok")


async def test_websocket_session_is_pinged_and_lives_while_it_answers(either):
    websocket = await either.opened()

    for _ in range(3):
        assert await websocket.packet() == "2"
        await websocket.send("3")


async def test_first_ping_comes_within_the_interval(engine):
    polling, websocket = await engine.session(), await engine.opened()
    began = time.monotonic()

    assert await websocket.packet() == "2"
    assert (await polling.poll()).text == "2"

    assert (time.monotonic() - began) * 1000 < PING_INTERVAL_MS + LATE_MS


async def test_silent_polling_session_is_ended(either):
    session = await either.session()

    await silence(LIFE_MS + LATE_MS)

    assert (await session.poll()).status == 400


async def test_silent_polling_session_cannot_be_posted_to(either):
    session = await either.session()

    await silence(LIFE_MS + LATE_MS)

    assert (await session.post("3")).status == 400


async def test_silent_websocket_is_closed(either):
    websocket = await either.opened()

    await websocket.closed(LIFE_MS + LATE_MS, pong=False)


async def test_poll_that_waits_is_released_when_the_session_times_out(engine):
    """How it is released is left open: a close packet, an error or a hang-up, but soon."""
    session = await engine.session()
    assert await session.packet() == "2"

    poll = await session.begin_poll()
    began = time.monotonic()
    try:
        response = await poll.response()
    except Closed:
        response = Response(400, {}, b"")

    assert (response.status, response.body) == (200, b"1") or response.status == 400
    assert (time.monotonic() - began) * 1000 < PING_TIMEOUT_MS + LATE_MS
    assert (await session.poll()).status == 400


async def test_late_pong_within_the_timeout_is_in_time(engine):
    websocket = await engine.opened()
    assert await websocket.packet() == "2"

    await silence(PING_TIMEOUT_MS * 0.6)
    await websocket.send("3")

    assert await websocket.packet() == "2"


async def test_messages_do_not_replace_pongs_for_ever(engine):
    """Node grants one more time-out for a message, not two."""
    websocket = await engine.opened()
    assert await websocket.packet() == "2"

    await websocket.send("4alive")

    await websocket.closed(2 * PING_TIMEOUT_MS + LATE_MS, pong=False)


async def test_pongs_out_of_turn_buy_no_time(engine):
    websocket = await engine.opened()

    await websocket.send("3", "3", "3")
    assert await websocket.packet() == "2"

    await websocket.closed(PING_TIMEOUT_MS + LATE_MS, pong=False)


async def test_pongs_out_of_turn_do_no_harm(engine):
    websocket, session = await engine.opened(), await engine.session()

    await websocket.send("3", "3")
    await session.post("3\x1e3")
    await websocket.send("4hello")

    assert await websocket.message() == "4hello"
    assert await session.echoes()
    assert await websocket.packet() == "2"


async def test_pong_travels_with_messages_in_one_body(engine):
    session = await engine.session()
    assert await session.packet() == "2"

    await session.post("4before\x1e3\x1e4after")

    assert await session.messages(2) == ["4before", "4after"]
    assert await session.packet() == "2"


async def test_ping_waits_for_the_next_poll(engine):
    """A client that is between two polls must find the ping when it comes back."""
    session = await engine.session()
    await silence(PING_INTERVAL_MS + PING_TIMEOUT_MS / 2)

    assert (await session.poll()).text == "2"
    assert (await session.post("3")).status == 200
    assert await session.echoes()


async def test_many_sessions_are_all_pinged(engine):
    async def life():
        websocket = await engine.opened()
        for _ in range(2):
            assert await websocket.packet() == "2"
            await websocket.send("3")

    async with asyncio.TaskGroup() as group:
        for number in range(30):
            group.create_task(life(), name=f"life {number}")


async def test_heartbeat_goes_on_while_the_probe_is_open(engine):
    """The client may take seconds over its probe; until then polls carry the pings."""
    session = await engine.session()
    websocket = await engine.probe(session)

    for _ in range(2):
        while (packet := await session.packet()) == "6":
            pass
        assert packet == "2"
        await session.post("3")

    await websocket.send("5", "4hello")
    assert await websocket.message() == "4hello"
