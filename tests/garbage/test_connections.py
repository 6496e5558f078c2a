"""What a connection leaves behind: nothing that only the collector of cycles could free.

Found in a soak: 250 bytes for each client that had ever come, because the parser of a WebSocket
holds itself, and the collector is told to run seldom.
"""

import pytest

from tests.conformance import wire
from tests.conformance.wire import frame, request
from tests.garbage.crowd import garbage_of, is_little
from tests.garbage.moves import entered, entered_by_polling, reset, until_closed, upgraded

pytestmark = [pytest.mark.redis, pytest.mark.asyncio, pytest.mark.timeout(180)]


# ── WebSockets ──────────────────────────────────────────────────────────────────────────────


async def says_goodbye(client):
    websocket = await entered(client)
    await websocket.send("41", "1")
    await until_closed(websocket)


async def closes_cleanly(client):
    websocket = await entered(client)
    await websocket.link.send(frame(wire.CLOSE, b"\x03\xe8"))
    await until_closed(websocket)


async def is_reset(client):
    reset((await entered(client)).link)


async def is_reset_before_its_first_words(client):
    reset((await client.opened()).link)


async def is_reset_within_a_frame(client):
    websocket = await entered(client)
    await websocket.link.send(frame(wire.TEXT, b"4" * 1000)[:500])
    reset(websocket.link)


async def is_reset_between_fragments(client):
    websocket = await entered(client)
    await websocket.link.send(frame(wire.TEXT & ~wire.FIN, b"4"))
    reset(websocket.link)


async def breaks_the_protocol(client):
    websocket = await entered(client)
    await websocket.link.send(frame(wire.TEXT, b"4", masked=False))
    await until_closed(websocket)


async def sends_what_is_no_text(client):
    websocket = await entered(client)
    await websocket.link.send(frame(wire.TEXT, b"4\xff"))
    await until_closed(websocket)


async def sends_too_much(client):
    websocket = await entered(client)
    head = frame(wire.TEXT, b"4" * (wire.MAX_PAYLOAD + 1))[:1000]
    await websocket.link.send(head)
    await until_closed(websocket)


async def sends_what_is_no_packet(client):
    websocket = await entered(client)
    await websocket.send("4nonsense")
    await until_closed(websocket)


async def floods(client):
    websocket = await entered(client)
    await websocket.send(*["3"] * 2_500)  # more than in two seconds that follow each other
    await until_closed(websocket)


async def upgrades_and_closes(client):
    websocket = await upgraded(client)
    await websocket.link.send(frame(wire.CLOSE, b"\x03\xe8"))
    await until_closed(websocket)


async def upgrades_and_is_reset(client):
    reset((await upgraded(client)).link)


# ── upgrades that fail ──────────────────────────────────────────────────────────────────────


async def probe_is_reset(client):
    session = await entered_by_polling(client)
    reset((await client.probe(session)).link)
    await session.post("1")


async def probe_says_nonsense(client):
    session = await entered_by_polling(client)
    websocket = await client.websocket(session.sid)
    await websocket.send("4nonsense")
    await until_closed(websocket)
    await session.post("1")


async def probe_comes_too_late(client):
    session = await entered_by_polling(client)
    first, second = await client.probe(session), await client.websocket(session.sid)
    await until_closed(second)
    reset(first.link)
    await session.post("1")


async def session_ends_beside_a_probe(client):
    session = await entered_by_polling(client)
    probe = await client.probe(session)
    await session.post("1")
    await until_closed(probe)


# ── polling ─────────────────────────────────────────────────────────────────────────────────


async def polls_and_says_goodbye(client):
    session = await entered_by_polling(client)
    await session.post("1")


async def poll_is_reset(client):
    session = await entered_by_polling(client)
    await session.messages(1)  # the offset, after which there is nothing to say
    reset(await session.begin_poll())


async def polls_twice(client):
    session = await entered_by_polling(client)
    await session.messages(1)
    link = await session.begin_poll()
    await session.poll()
    await link.close()


async def posts_nonsense(client):
    session = await entered_by_polling(client)
    await session.post("4nonsense")
    assert (await session.poll()).status


async def post_is_reset(client):
    session = await entered_by_polling(client)
    link = await client.link()
    await link.send(request("POST", f"{client.path}?{session.query}", b"40" * 50)[:-50])
    reset(link)
    await session.post("1")


# ── HTTP ────────────────────────────────────────────────────────────────────────────────────


async def says_nothing(client):
    reset(await client.link())


async def asks_for_its_health(client):
    link = await client.link()
    for _ in range(2):
        await link.send(request("GET", "/live"))
        assert (await link.response()).status == 200
    await link.close()


async def asks_for_its_health_once(client):
    link = await client.link()
    await link.send(request("GET", "/live", headers={"Connection": "close"}))
    await link.response()
    await link.ended()
    await link.close()


async def asks_for_what_is_not_there(client):
    link = await client.link()
    await link.send(request("POST", "/nothing", b"x" * 100))
    assert (await link.response()).status == 404
    reset(link)


async def is_no_http(client):
    link = await client.link()
    await link.send(b"\x16\x03\x01\x02\0\r\n\r\n")
    await link.ended()
    await link.close()


async def asks_for_an_unknown_session(client):
    assert (await client.ask("GET", "EIO=4&transport=polling&sid=nobody")).status == 400


async def shakes_hands_wrongly(client):
    answer, link = await client.upgrade("EIO=4&transport=websocket", {"Sec-WebSocket-Key": "x"})
    assert answer.status == 400
    await link.close()


async def upgrades_what_is_not_there(client):
    link = await client.link()
    await link.send(request("GET", "/nothing", headers=wire.UPGRADE_HEADERS))
    await link.verdict()
    await link.close()


WAYS = [
    says_goodbye,
    closes_cleanly,
    is_reset,
    is_reset_before_its_first_words,
    is_reset_within_a_frame,
    is_reset_between_fragments,
    breaks_the_protocol,
    sends_what_is_no_text,
    sends_too_much,
    sends_what_is_no_packet,
    floods,
    upgrades_and_closes,
    upgrades_and_is_reset,
    probe_is_reset,
    probe_says_nonsense,
    probe_comes_too_late,
    session_ends_beside_a_probe,
    polls_and_says_goodbye,
    poll_is_reset,
    polls_twice,
    posts_nonsense,
    post_is_reset,
    says_nothing,
    asks_for_its_health,
    asks_for_its_health_once,
    asks_for_what_is_not_there,
    is_no_http,
    asks_for_an_unknown_session,
    shakes_hands_wrongly,
    upgrades_what_is_not_there,
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_a_client_leaves_nothing_behind(live, way):
    garbage = await garbage_of(live, way)

    assert is_little(garbage), garbage
