"""Joining and leaving namespaces.

Source: Socket.IO protocol, revision 5, "Connection to a namespace" and "Disconnection from a
namespace"; where the text is silent, what the Node server does (client.ondecoded).
"""

import json
import time

import pytest

from tests.conformance.wire import CONNECT_TIMEOUT_MS, LATE_MS, Closed

pytestmark = pytest.mark.asyncio

INVALID_NAMESPACE = '44/random,{"message":"Invalid namespace"}'


async def connected(socketio, *packets):
    """A websocket that has sent these CONNECT packets and read the answers."""
    websocket = await socketio.opened()
    for packet in packets or ("40",):
        await websocket.send(packet)
        await websocket.messages(2)
    return websocket


def sid_in(reply, prefix):
    assert reply.startswith(prefix)
    payload = json.loads(reply.removeprefix(prefix))
    assert set(payload) == {"sid"}
    assert isinstance(payload["sid"], str)
    assert payload["sid"]
    return payload["sid"]


@pytest.mark.parametrize(
    ("packet", "prefix", "auth"),
    [
        ("40", "40", {}),
        ("40{}", "40", {}),
        ("40/,", "40", {}),
        ('40{"token":"123"}', "40", {"token": "123"}),
        ('40{"é":[1,null,"€"]}', "40", {"é": [1, None, "€"]}),
        ("40/custom", "40/custom,", {}),
        ("40/custom,", "40/custom,", {}),
        ('40/custom,{"token":"abc"}', "40/custom,", {"token": "abc"}),
    ],
)
async def test_namespace_is_joined(socketio, packet, prefix, auth):
    websocket = await socketio.opened()

    await websocket.send(packet)
    reply, event = await websocket.messages(2)

    sid_in(reply, prefix)
    event_prefix = "42" + prefix.removeprefix("40")
    assert event.startswith(event_prefix)
    assert json.loads(event.removeprefix(event_prefix)) == ["auth", auth]


async def test_namespace_is_joined_over_polling(socketio):
    session = await socketio.session()

    await session.post('40{"token":"123"}')
    reply, event = await session.messages(2)

    sid_in(reply, "40")
    assert event == '42["auth",{"token":"123"}]'


async def test_unknown_namespace_is_refused_over_polling(socketio):
    session = await socketio.session()

    await session.post("40/random")

    assert await session.messages(1) == [INVALID_NAMESPACE]


@pytest.mark.parametrize("packet", ["40/random", "40/random,", '40/random,{"token":"123"}'])
async def test_unknown_namespace_is_refused(socketio, packet):
    websocket = await socketio.opened()

    await websocket.send(packet)

    assert await websocket.message() == INVALID_NAMESPACE


async def test_known_namespace_is_joined_after_an_unknown_one(socketio):
    websocket = await socketio.opened()

    await websocket.send("40/random", "40")

    refusal, reply, _ = await websocket.messages(3)
    assert refusal == INVALID_NAMESPACE
    sid_in(reply, "40")


async def test_refused_namespace_does_not_disturb_a_joined_one(socketio):
    websocket = await connected(socketio)

    await websocket.send("40/random", '42["message",1]')

    assert await websocket.messages(2) == [INVALID_NAMESPACE, '42["message-back",1]']


async def test_session_ids_are_different_and_none_is_the_transports(socketio):
    """The transport's ID opens the session to whoever knows it, so it is not shared."""
    session = await socketio.session()

    await session.post("40\x1e40/custom,")
    packets = await session.messages(4)

    sids = {
        json.loads(packet[packet.index("{") :])["sid"]
        for packet in packets
        if packet.startswith("40")
    }
    assert len(sids) == 2
    assert session.sid not in sids


async def test_recovery_is_not_offered(socketio):
    """A ``pid`` in the reply would promise that missed events are replayed."""
    websocket = await socketio.opened()

    await websocket.send('40{"pid":"someone","offset":"1-0"}')
    reply, event = await websocket.messages(2)

    sid_in(reply, "40")
    assert json.loads(event[2:]) == ["auth", {"pid": "someone", "offset": "1-0"}]


@pytest.mark.parametrize(
    "packet", ["4abc", '40"token"', "40[1]", "40{", "40null", '40/custom,"x"']
)
async def test_invalid_connect_is_closed(socketio, packet):
    websocket = await socketio.opened()

    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize(
    "packet",
    [
        '42["message",1]',
        '420["message-with-ack",1]',
        "430[]",
        "41",
        '44{"message":"no"}',
        '451-["message",{"_placeholder":true,"num":0}]',
    ],
)
async def test_packet_before_connect_is_closed(socketio, packet):
    """The protocol demands it at once: such a client is broken or hostile."""
    websocket = await socketio.opened()

    await websocket.send(packet, *([b"\x01"] if packet.startswith("45") else []))

    await websocket.closed()


async def test_bytes_before_connect_are_closed(socketio):
    websocket = await socketio.opened()

    await websocket.send(b"\x01\x02")

    await websocket.closed()


async def test_event_before_connect_is_closed_over_polling(socketio):
    session = await socketio.session()

    await session.post('42["message",1]')

    assert '42["message-back",1]' not in await session.closed()


async def test_event_for_a_namespace_that_was_not_joined_is_closed(socketio):
    websocket = await connected(socketio)

    await websocket.send('42/custom,["message",1]')

    await websocket.closed()


@pytest.mark.parametrize("namespace", ["", "/custom,"])
async def test_second_connect_to_the_same_namespace_is_closed(socketio, namespace):
    websocket = await connected(socketio, f"40{namespace}")

    await websocket.send(f"40{namespace}")

    await websocket.closed()


@pytest.mark.brief_times
async def test_client_that_never_connects_is_closed(socketio):
    """It answers pings, so only the connect time-out can end it."""
    websocket = await socketio.opened()
    began = time.monotonic()

    await websocket.closed(CONNECT_TIMEOUT_MS + LATE_MS)

    assert (time.monotonic() - began) * 1000 > CONNECT_TIMEOUT_MS - LATE_MS


@pytest.mark.brief_times
async def test_polling_client_that_never_connects_is_closed(socketio):
    session = await socketio.session()
    began = time.monotonic()

    await session.closed(CONNECT_TIMEOUT_MS + LATE_MS)

    assert (time.monotonic() - began) * 1000 > CONNECT_TIMEOUT_MS - LATE_MS


@pytest.mark.brief_times
async def test_client_that_was_only_refused_is_closed(socketio):
    websocket = await socketio.opened()
    await websocket.send("40/random")
    assert await websocket.message() == INVALID_NAMESPACE

    await websocket.closed(CONNECT_TIMEOUT_MS + LATE_MS)


@pytest.mark.brief_times
async def test_connected_client_outlives_the_connect_timeout(socketio):
    websocket = await connected(socketio)

    for _ in range(4):
        assert await websocket.packet() == "2"
        await websocket.send("3")
    await websocket.send('42["message",1]')

    assert await websocket.message() == '42["message-back",1]'


@pytest.mark.brief_times
async def test_leaving_the_main_namespace_keeps_the_transport_open(socketio):
    """No answer is expected; the next thing to come is a ping."""
    websocket = await connected(socketio)

    await websocket.send("41")

    assert await websocket.packet() == "2"
    await websocket.send("3")
    assert await websocket.packet() == "2"


async def test_namespace_can_be_joined_again_with_a_new_id(socketio):
    websocket = await socketio.opened()
    await websocket.send("40")
    first, _ = await websocket.messages(2)

    await websocket.send("41", "40")
    second, _ = await websocket.messages(2)

    assert sid_in(first, "40") != sid_in(second, "40")


async def test_event_after_leaving_is_closed(socketio):
    websocket = await connected(socketio)

    await websocket.send("41", '42["message",1]')

    with pytest.raises(Closed):
        await websocket.message()


async def test_leaving_a_namespace_that_was_not_joined_is_closed(socketio):
    websocket = await connected(socketio)

    await websocket.send("41/custom,")

    await websocket.closed()


@pytest.mark.parametrize("packet", ["41/custom", "41/custom,"])
async def test_leaving_one_namespace_keeps_the_other(socketio, packet):
    websocket = await connected(socketio, "40", "40/custom")

    await websocket.send(packet, '42["message","message to main namespace"]')

    assert await websocket.message() == '42["message-back","message to main namespace"]'


async def test_namespaces_share_a_transport(socketio):
    websocket = await connected(socketio, "40", "40/custom,")

    await websocket.send('42["message",1]', '42/custom,["message",2]', '42["message",3]')

    assert sorted(await websocket.messages(3)) == [
        '42/custom,["message-back",2]',
        '42["message-back",1]',
        '42["message-back",3]',
    ]


async def test_connection_survives_the_upgrade(socketio):
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)
    await session.post('42["message","before"]')

    websocket = await socketio.probe(session)
    await session.post('42["message","during"]')
    await websocket.send("5", '42["message","after"]')

    assert await websocket.messages(3) == [
        '42["message-back","before"]',
        '42["message-back","during"]',
        '42["message-back","after"]',
    ]


async def test_connect_may_follow_the_upgrade(socketio):
    _, websocket = await socketio.upgraded()

    await websocket.send("40")

    sid_in((await websocket.messages(2))[0], "40")


async def test_close_packet_ends_connection_and_transport(socketio):
    websocket = await connected(socketio)

    await websocket.send("1")

    await websocket.closed()
