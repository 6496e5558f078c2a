"""Good-byes: the close packet, the close frame, and none at all.

Source: Engine.IO protocol, packet type 1; RFC 6455, 5.5.1.
"""

import json

import pytest

from tests.conformance.wire import CLOSE, DEADLINE_MS, TEXT, Closed, frame, request

pytestmark = pytest.mark.asyncio


async def test_close_packet_by_post_releases_the_poll_and_ends_the_session(either):
    session = await either.session()
    poll = await session.begin_poll()

    posted = await session.post("1")

    assert (posted.status, posted.text) == (200, "ok")
    released = await poll.response()
    assert (released.status, released.text) == (200, "6")
    assert (await session.poll()).status == 400
    assert (await session.post("4hello")).status == 400


async def test_close_packet_ends_a_session_without_a_poll(either):
    session = await either.session()

    await session.post("1")

    assert (await session.poll()).status == 400


async def test_close_packet_may_follow_messages_in_one_body(engine):
    """The echo may still come, or be lost with the session."""
    session = await engine.session()
    poll = await session.begin_poll()

    posted = await session.post("4last words\x1e1")

    assert posted.status == 200
    assert (await poll.response()).packets[-1] in {"6", "4last words"}
    assert (await session.poll()).status == 400


async def test_close_packet_closes_the_websocket(either):
    websocket = await either.opened()

    await websocket.send("1")

    await websocket.closed()


async def test_close_frame_is_answered_by_a_close_frame(either):
    """The server closes the TCP connection first: then it is the client that may wait."""
    websocket = await either.opened()

    await websocket.link.send(frame(CLOSE, b"\x03\xe8bye"))

    with pytest.raises(Closed) as closed:
        await websocket.packet()
    assert closed.value.code == 1000
    await websocket.link.ended()


async def test_empty_close_frame_is_answered(either):
    websocket = await either.opened()

    await websocket.link.send(frame(CLOSE))

    with pytest.raises(Closed) as closed:
        await websocket.packet()
    assert closed.value.code in {1000, 1005}
    await websocket.link.ended()


async def test_messages_after_a_close_frame_are_not_answered(engine):
    websocket = await engine.opened()

    await websocket.link.send(frame(CLOSE, b"\x03\xe8") + frame(TEXT, b"4too late"))

    with pytest.raises(Closed):
        await websocket.packet()


@pytest.mark.parametrize("ending", ["cut", "close frame", "close packet"])
async def test_websocket_session_is_forgotten_however_it_ends(engine, ending):
    """Told by the error: code 3 while the session is on a websocket, code 1 once it is gone."""
    websocket = await engine.websocket()
    sid = json.loads((await websocket.packet())[1:])["sid"]
    query = f"EIO=4&transport=polling&sid={sid}"
    assert (await engine.ask("GET", query)).json["code"] == 3

    if ending == "close packet":
        await websocket.send("1")
        await websocket.closed()
    elif ending == "close frame":
        await websocket.link.send(frame(CLOSE, b"\x03\xe8"))
        await websocket.closed()
    await websocket.link.close()

    await gone(engine, query)


async def gone(engine, query):
    """Ask until the server no longer knows the session; the ping time-out is not waited for."""
    for _ in range(100):
        if (await engine.ask("GET", query)).json["code"] == 1:
            return
    pytest.fail("the session is still known after 100 requests")


async def test_client_that_never_closes_tcp_is_not_waited_for_for_ever(engine):
    """After the close frames the server ends the connection, whatever the client does."""
    websocket = await engine.opened()

    await websocket.send("1")

    with pytest.raises(Closed):
        await websocket.packet()
    await websocket.link.ended(DEADLINE_MS)


async def test_goodbye_that_overtakes_its_poll_still_releases_it(engine):
    """Found in review: on two connections the POST may come before the GET."""
    session = await engine.session()
    posting = await engine.link()

    await posting.send(request("POST", f"{engine.path}?{session.query}", b"1"))
    polled = await session.poll()

    assert (polled.status, polled.text) == (200, "6")
    assert (await posting.response()).status == 200
    assert (await session.poll()).status == 400
