"""Packets that are wrong. Each closes the transport, at once and without a traceback.

Source: Socket.IO protocol, revision 5, "Packet encoding"; where the text is silent, what the
Node server's parser does. The fixtures look at the server's standard error after each test.
"""

import contextlib
import json

import pytest
import pytest_asyncio

from tests.conformance.wire import Closed

pytestmark = pytest.mark.asyncio

ONE = '{"_placeholder":true,"num":0}'
DEEP = 5_000


@pytest_asyncio.fixture
async def websocket(socketio):
    """A websocket that has joined the main namespace."""
    websocket = await socketio.opened()
    await websocket.send("40")
    await websocket.messages(2)
    return websocket


@pytest.mark.parametrize(
    "packet",
    ["4", "4abc", "47", "48", "49", "4-1", "4 2", '4["message"]', "4é", "4\u0000", "4\u0662[]"],
)
async def test_unknown_packet_type_is_closed(websocket, packet):
    """The last one is an Arabic digit two, which Python's ``int`` would read."""
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize(
    "packet",
    [
        "42",
        "42{}",
        "42[]",
        "42null",
        '42"message"',
        "42[",
        "42]",
        '42["message"',
        '42["message"]]',
        '42["message"] x',
        '42["message",]',
        "42['message']",
        "42[null]",
        "42[true]",
        "42[{}]",
        "42[[]]",
        '42/,["message"',
        "42/",
        "42/custom",
        "42456",
    ],
)
async def test_event_without_a_name_in_an_array_is_closed(websocket, packet):
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize(
    "name",
    [
        "connect",
        "connect_error",
        "disconnect",
        "disconnecting",
        "newListener",
        "removeListener",
    ],
)
async def test_reserved_event_name_is_closed(websocket, name):
    """A client must not be able to fake what the library itself announces."""
    await websocket.send(f'42["{name}",1]')

    await websocket.closed()


@pytest.mark.parametrize(
    "packet",
    [
        '42abc["message-with-ack",1,"2",{"3":[false]}]',
        '42-1["message-with-ack"]',
        '421.5["message-with-ack"]',
        '42 1["message-with-ack"]',
        '42\u0661["message-with-ack"]',
        '421_000["message-with-ack"]',
    ],
)
async def test_id_that_is_no_number_is_closed(websocket, packet):
    """The Arabic digit and the underscore are again what Python alone would read."""
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize("packet", ["431{}", "431", '431"x"', "431null", "431["])
async def test_ack_without_an_array_is_closed(websocket, packet):
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize("packet", ['44{"message":"no"}', '44"no"', "44", "44{"])
async def test_connect_error_from_a_client_is_closed(websocket, packet):
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize("packet", ["41{}", "41[]", '41"x"', "41null"])
async def test_disconnect_with_a_payload_is_closed(websocket, packet):
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize("packet", ["4abc", "42{}", '42abc["x"]', "49", "42[]", "4"])
async def test_malformed_packet_ends_a_polling_session(socketio, packet):
    """What was to be said before may still be fetched."""
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)

    assert (await session.post(packet)).status in {200, 400}

    await session.closed()


async def test_malformed_packet_releases_the_poll_that_waits(socketio):
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)
    poll = await session.begin_poll()

    await session.post("4abc")

    assert await poll.verdict() in {200, 400}
    await session.closed()


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-Infinity", "undefined", "01", "1.", "+1", '"\n"', "'x'"]
)
async def test_what_json_does_not_know_is_closed(websocket, value):
    """Python's json reads the first three, and would send them on to browsers."""
    await websocket.send(f'42["message",{value}]')

    await websocket.closed()


@pytest.mark.parametrize("value", ["1e999", r'"\ud800"', r'"\udc00x"', "9" * 400, "1e-999"])
async def test_value_python_and_javascript_see_differently_is_sent_as_json_or_closed(
    websocket, value
):
    def refuse(constant):
        raise AssertionError(constant)

    await websocket.send(f'42["message",{value}]')

    try:
        answer = await websocket.message()
    except Closed:
        return
    assert json.loads(answer[2:], parse_constant=refuse)[0] == "message-back"


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param("42" + "[" * DEEP, id="open"),
        pytest.param("42" + "[" * DEEP + "]" * DEEP, id="balanced"),
        pytest.param("42" + '{"a":' * DEEP, id="objects"),
        pytest.param('42["message",' + "[" * DEEP, id="argument"),
        pytest.param('42["message",' + "[" * DEEP + "}", id="argument, then wrong"),
        pytest.param("430" + "[" * DEEP, id="ack"),
        pytest.param("451-" + "[" * DEEP, id="binary event"),
        pytest.param("40/custom," + '{"a":' * DEEP, id="connect"),
    ],
)
async def test_deep_nesting_is_closed(websocket, packet):
    """Recursive parsers and encoders run out of stack long before."""
    await websocket.send(packet)

    await websocket.closed()


@pytest.mark.parametrize("depth", [500, DEEP, 100_000])
async def test_deep_argument_comes_back_or_is_closed(websocket, depth):
    """It is JSON after all."""
    packet = '42["message",' + "[" * depth + "]" * depth + "]"

    await websocket.send(packet)

    with contextlib.suppress(Closed):
        assert await websocket.message() == packet.replace("message", "message-back")


@pytest.mark.parametrize("depth", [500, DEEP])
async def test_deep_auth_is_accepted_or_closed(socketio, depth):
    websocket = await socketio.opened()
    auth = '{"a":' * depth + "1" + "}" * depth

    await websocket.send(f"40{auth}")

    try:
        reply, event = await websocket.messages(2)
    except Closed:
        return
    assert reply.startswith("40{")
    assert event == f'42["auth",{auth}]'


@pytest.mark.parametrize(
    "packet",
    [
        "45",
        f'45["message",{ONE}]',
        f'45-["message",{ONE}]',
        f'45x-["message",{ONE}]',
        f'45-1-["message",{ONE}]',
        f'451.5-["message",{ONE}]',
        f'45\u0661-["message",{ONE}]',
        '451-{"message":1}',
        "451-[]",
        '451-["connect",1]',
        "451-",
        "461-0{}",
        "451",
    ],
)
async def test_binary_packet_with_a_wrong_head_is_closed(websocket, packet):
    """At once or, by a parser that looks later, when the attachment comes."""
    await websocket.send(packet, b"\x01")

    await websocket.closed()


async def test_bytes_without_an_event_are_closed(websocket):
    await websocket.send(b"\x01\x02")

    await websocket.closed()


async def test_one_attachment_too_many_is_closed(websocket):
    await websocket.send(f'451-["message",{ONE}]', b"\x01")
    assert await websocket.messages(2) == [f'451-["message-back",{ONE}]', b"\x01"]

    await websocket.send(b"\x02")

    await websocket.closed()


@pytest.mark.parametrize("follower", ['42["message",1]', "40/custom,", "41", "4abc"])
async def test_packet_in_place_of_an_attachment_is_closed(websocket, follower):
    await websocket.send(f'452-["message",{ONE}]', b"\x01", follower)

    await websocket.closed()


@pytest.mark.brief_times
async def test_missing_attachment_leaves_the_transport_to_its_heartbeat(websocket):
    """The rest may be on its way: pings go on meanwhile."""
    await websocket.send(f'451-["message",{ONE}]')
    assert await websocket.packet() == "2"
    await websocket.send("3", b"\x01")

    assert await websocket.messages(2) == [f'451-["message-back",{ONE}]', b"\x01"]


@pytest.mark.parametrize("number", ["1", "-1", '"0"', "0.5", "null", "1e99", '"length"', "[0]"])
async def test_placeholder_for_no_attachment_is_closed(websocket, number):
    await websocket.send(f'451-["message",{{"_placeholder":true,"num":{number}}}]', b"\x01")

    await websocket.closed()


async def test_placeholder_without_a_number_is_closed(websocket):
    await websocket.send('451-["message",{"_placeholder":true}]', b"\x01")

    await websocket.closed()


@pytest.mark.parametrize("count", ["1000000000", "9" * 30, "9" * 5_000])
async def test_huge_number_of_attachments_is_closed(websocket, count):
    """At once or, by a parser that waits for them, when a text packet comes instead."""
    await websocket.send(f'45{count}-["message",{ONE}]', b"\x01", '42["message",1]')

    await websocket.closed()


async def test_malformed_packet_of_one_client_does_not_touch_another(socketio, websocket):
    other = await socketio.opened()
    await other.send("40")
    await other.messages(2)

    await websocket.send("4abc")
    await websocket.closed()

    await other.send('42["message",1]')
    assert await other.message() == '42["message-back",1]'
