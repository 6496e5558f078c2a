"""From polling to a websocket: nothing lost, nothing twice, and every way it can go wrong.

Source: Engine.IO protocol, "Upgrade".
"""

import asyncio

import pytest

from tests.conformance.wire import CLOSE, DEADLINE_MS, LATE_MS, LIFE_MS, WebSocket, frame

pytestmark = pytest.mark.asyncio


@pytest.mark.brief_times
async def test_probe_then_upgrade_moves_the_session(either):
    session = await either.session()
    websocket = await either.websocket(session.sid)

    await websocket.send("2probe")
    assert await websocket.packet() == "3probe"
    released = await session.poll()
    await websocket.send("5")

    assert (released.status, released.text) == (200, "6")
    assert await websocket.packet() == "2"
    await websocket.send("3")
    assert await websocket.packet() == "2"


async def test_messages_flow_over_the_websocket_after_the_upgrade(engine):
    _, websocket = await engine.upgraded()

    await websocket.send("4hello", b"\x01\x02")

    assert await websocket.messages(2) == ["4hello", b"\x01\x02"]


async def test_poll_that_waits_is_released_by_the_probe(either):
    session = await either.session()
    poll = await session.begin_poll()
    websocket = await either.probe(session)

    released = await poll.response()

    assert (released.status, released.text) == (200, "6")
    await websocket.send("5")


async def test_poll_that_still_waits_at_the_upgrade_is_answered(engine):
    """A client should have stopped polling. One that has not must not hang."""
    session = await engine.session()
    websocket = await engine.probe(session)
    poll = await session.begin_poll()

    await websocket.send("5", "4hello")

    assert await poll.verdict() in {200, 400, None}
    assert await websocket.message() == "4hello"


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_http_requests_after_the_upgrade_are_refused(engine, method):
    session, websocket = await engine.upgraded()
    await websocket.send("4settled")
    assert await websocket.message() == "4settled"

    response = await engine.ask(method, session.query, b"4hello" if method == "POST" else None)

    assert response.status == 400
    await websocket.send("4hello")
    assert await websocket.message() == "4hello"


async def test_upgrade_sent_in_one_write_with_the_probe_is_accepted(either):
    """A client in a hurry need not wait for the answer to its probe."""
    session = await either.session()
    websocket = await either.websocket(session.sid)

    await websocket.send("2probe", "5")

    assert await websocket.packet() == "3probe"
    await either.settle()
    assert (await session.poll()).status == 400


async def test_second_websocket_after_the_upgrade_is_refused_and_the_first_lives(engine):
    session, websocket = await engine.upgraded()
    await websocket.send("4settled")
    assert await websocket.message() == "4settled"

    await refused(engine, session)

    await websocket.send("4hello")
    assert await websocket.message() == "4hello"


async def test_second_websocket_during_the_probe_is_refused_and_the_first_goes_on(engine):
    session = await engine.session()
    websocket = await engine.probe(session)

    await refused(engine, session)

    await websocket.send("5", "4hello")
    assert await websocket.message() == "4hello"


async def refused(engine, session):
    """By a close right after the handshake: for a WebSocket client that is no error."""
    response, link = await engine.upgrade(f"EIO=4&transport=websocket&sid={session.sid}")
    assert response.status == 101
    await WebSocket(link).closed(pong=False)


async def test_websocket_for_a_websocket_session_is_refused(engine):
    """It began on a websocket and has nothing to upgrade."""
    first = await engine.websocket()
    sid = str(await first.packet()).split('"sid":"')[1].split('"')[0]

    response, link = await engine.upgrade(f"EIO=4&transport=websocket&sid={sid}")

    assert response.status == 101
    await WebSocket(link).closed(pong=False)
    await first.send("4hello")
    assert await first.message() == "4hello"


async def test_messages_around_the_upgrade_arrive_once_and_in_order(engine):
    """Sent before the probe, during it, and after it; received wherever they come out."""
    session = await engine.session()
    received = []
    await session.post("4a\x1e4b")
    websocket = await engine.probe(session)
    await session.post("4c")
    received += await session.messages(3)
    await session.post("4d\x1e4e")

    await websocket.send("5", "4f")
    received += await websocket.messages(3)
    await websocket.send("4g")
    received += await websocket.messages(1)

    assert received == ["4a", "4b", "4c", "4d", "4e", "4f", "4g"]


async def test_message_during_the_probe_goes_to_the_poll_that_waits(engine):
    """Over the websocket it would overtake what a poll has not fetched yet."""
    session = await engine.session()
    poll = await session.begin_poll()
    websocket = await engine.websocket(session.sid)

    await session.post("4hello")
    polled = await poll.response()
    await websocket.send("2probe")

    assert polled.text == "4hello"
    assert await websocket.packet() == "3probe"


async def test_bytes_left_over_from_polling_are_sent_as_bytes(engine):
    """Base64 belongs to polling: what waits for the upgrade must be encoded after it."""
    session = await engine.session()
    websocket = await engine.probe(session)
    await session.post("bAQIDBA==\x1e4text")

    await websocket.send("5")

    assert await websocket.messages(2) == [b"\x01\x02\x03\x04", "4text"]


async def test_many_clients_upgrade_at_once(engine):
    async def life(number):
        session = await engine.session()
        await session.post(f"4{number} before")
        websocket = await engine.probe(session)
        await session.post(f"4{number} during")
        await websocket.send("5", f"4{number} after")
        assert await websocket.messages(3) == [
            f"4{number} before",
            f"4{number} during",
            f"4{number} after",
        ]

    async with asyncio.timeout(DEADLINE_MS / 1000), asyncio.TaskGroup() as group:
        for number in range(25):
            group.create_task(life(number), name=f"life {number}")


@pytest.mark.brief_times
async def test_pong_for_a_ping_fetched_by_the_last_poll_may_come_over_the_websocket(engine):
    session = await engine.session()
    while await session.packet() == "6":
        pass
    websocket = await engine.probe(session)

    await websocket.send("5", "3")

    assert await websocket.packet() == "2"


@pytest.mark.brief_times
async def test_silent_websocket_after_the_upgrade_is_closed(engine):
    _, websocket = await engine.upgraded()

    await websocket.closed(LIFE_MS + LATE_MS, pong=False)


@pytest.mark.parametrize("moment", ["before the probe", "after the probe"])
@pytest.mark.parametrize("ending", ["cut", "close frame"])
async def test_probe_that_dies_leaves_the_polling_session_alive(engine, moment, ending):
    session = await engine.session()
    websocket = await (
        engine.probe(session) if moment == "after the probe" else engine.websocket(session.sid)
    )

    if ending == "close frame":
        await websocket.link.send(frame(CLOSE, b"\x03\xe8"))
        await websocket.closed()
    await websocket.link.close()

    assert await session.echoes()


@pytest.mark.parametrize("moment", ["before the probe", "after the probe"])
@pytest.mark.parametrize("junk", ["4hello", "abc", "2junk", "3probe", "", b"\x01\x02"])
async def test_probe_that_sends_junk_is_closed_and_the_polling_session_lives(engine, moment, junk):
    session = await engine.session()
    websocket = await (
        engine.probe(session) if moment == "after the probe" else engine.websocket(session.sid)
    )

    await websocket.send(junk)

    await websocket.closed()
    assert await session.echoes()


async def test_probe_that_breaks_the_framing_leaves_the_polling_session_alive(engine):
    session = await engine.session()
    websocket = await engine.websocket(session.sid)

    await websocket.link.send(frame(0x81, b"2probe", masked=False))

    assert await websocket.closed() == 1002
    assert await session.echoes()


async def test_new_probe_succeeds_after_one_that_died(engine):
    session = await engine.session()
    first = await engine.probe(session)
    await first.link.close()
    await engine.settle()

    second = await engine.probe(session)
    await second.send("5", "4hello")

    assert await second.message() == "4hello"


async def test_session_that_ends_takes_its_probe_along(engine):
    session = await engine.session()
    websocket = await engine.probe(session)

    await session.post("1")

    await websocket.closed()
