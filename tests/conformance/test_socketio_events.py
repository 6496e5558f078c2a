"""Events and acknowledgements, without and with attachments.

Source: Socket.IO protocol, revision 5, "Sending and receiving data", "Acknowledgement" and
"Packet encoding".
"""

import json

import pytest
import pytest_asyncio

from tests.conformance.wire import Closed

pytestmark = pytest.mark.asyncio

TWO = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
ONE = '{"_placeholder":true,"num":0}'


def refuse(constant):
    raise ValueError(constant)


def strict(text):
    """Parse as a browser would: NaN and Infinity are no JSON."""
    return json.loads(text, parse_constant=refuse)


@pytest_asyncio.fixture
async def websocket(socketio):
    """A websocket that has joined both namespaces."""
    websocket = await socketio.opened()
    await websocket.send("40", "40/custom,")
    await websocket.messages(4)
    return websocket


@pytest.mark.parametrize(
    "arguments",
    [
        [1, "2", {"3": [True]}],
        [],
        [None],
        [False, 0, "", [], {}],
        ["é€😀\u2028\u0000", '"\\\n\t/'],
        [[[[]]], {"a": {"b": {"c": []}}}],
        [-1.5, 1e20, 0.1, 9007199254740991, -9007199254740991],
        [{"_placeholder": False, "num": 0}],
        ["x" * 100_000],
    ],
    ids=range(9),
)
async def test_event_comes_back_with_the_same_arguments(websocket, arguments):
    await websocket.send("42" + json.dumps(["message", *arguments]))

    answer = await websocket.message()

    assert answer.startswith("42")
    assert strict(answer[2:]) == ["message-back", *arguments]


async def test_answer_is_written_the_way_node_writes_it(websocket):
    """No blanks, no escapes that JSON does not need: some clients compare text."""
    await websocket.send('42["message", 1, "2é",  {"3": [true]} ]')

    assert await websocket.message() == '42["message-back",1,"2é",{"3":[true]}]'


async def test_event_of_a_custom_namespace_is_answered_there(websocket):
    await websocket.send('42/custom,["message",{"a":1}]')

    assert await websocket.message() == '42/custom,["message-back",{"a":1}]'


async def test_events_keep_their_order(websocket):
    await websocket.send(*(f'42["message",{number}]' for number in range(200)))

    assert await websocket.messages(200) == [f'42["message-back",{n}]' for n in range(200)]


@pytest.mark.parametrize(
    ("packet", "answer"),
    [
        ('42456["message-with-ack",1,"2",{"3":[false]}]', '43456[1,"2",{"3":[false]}]'),
        ('420["message-with-ack",1]', "430[1]"),
        ('427["message-with-ack"]', "437[]"),
        ('428["message-with-ack",[]]', "438[[]]"),
        ('429["message-with-ack",null]', "439[null]"),
        ('42/custom,12["message-with-ack",1]', "43/custom,12[1]"),
        ('429007199254740991["message-with-ack",1]', "439007199254740991[1]"),
    ],
)
async def test_event_with_an_id_is_acknowledged_with_the_same_id(websocket, packet, answer):
    await websocket.send(packet)

    assert await websocket.message() == answer


@pytest.mark.parametrize("digits", [17, 30, 101, 5_000])
async def test_huge_ack_id_is_answered_in_kind_or_closed(websocket, digits):
    """Python refuses to read integers of more than 4,300 digits; JavaScript rounds."""
    await websocket.send(f'42{"9" * digits}["message-with-ack",1]')

    try:
        answer = await websocket.message()
    except Closed:
        return
    assert answer.startswith("43")
    assert answer.endswith("[1]")


@pytest.mark.parametrize(
    "packet",
    [
        '42["nobody listens",1]',
        "42[1]",
        '42[1,"numbers are event names too"]',
        "4399[]",
        '430["not asked for"]',
        '43/custom,0["not asked for"]',
        '42/custom,["nobody listens"]',
    ],
)
async def test_what_nobody_waits_for_is_ignored(websocket, packet):
    await websocket.send(packet, '42["message","next"]')

    assert await websocket.message() == '42["message-back","next"]'


async def test_events_and_acks_work_over_polling(socketio):
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)

    await session.post('42["message",1]\x1e425["message-with-ack","é"]')

    assert sorted(await session.messages(2)) == ['42["message-back",1]', '435["é"]']


async def test_event_with_attachments_comes_back_with_them(websocket):
    await websocket.send(f'452-["message",{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")

    assert await websocket.messages(3) == [
        f'452-["message-back",{TWO}]',
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_event_with_attachments_is_acknowledged_with_them(websocket):
    await websocket.send(f'452-789["message-with-ack",{TWO}]', b"\x01\x02\x03", b"\x04\x05\x06")

    assert await websocket.messages(3) == [
        f"462-789[{TWO}]",
        b"\x01\x02\x03",
        b"\x04\x05\x06",
    ]


async def test_attachments_work_in_a_custom_namespace(websocket):
    await websocket.send(f'451-/custom,["message",{ONE}]', b"\x01")
    assert await websocket.messages(2) == [f'451-/custom,["message-back",{ONE}]', b"\x01"]

    await websocket.send(f'451-/custom,7["message-with-ack",{ONE}]', b"\x02")
    assert await websocket.messages(2) == [f"461-/custom,7[{ONE}]", b"\x02"]


async def test_attachments_work_over_polling(socketio):
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)

    await session.post(f'452-["message",{TWO}]\x1ebAQID\x1ebBAUG')

    assert await session.messages(3) == [f'452-["message-back",{TWO}]', "bAQID", "bBAUG"]


async def test_attachments_may_come_in_a_later_post(socketio):
    session = await socketio.session()
    await session.post("40")
    await session.messages(2)

    await session.post(f'451-["message",{ONE}]')
    await session.post("bAQID")

    assert await session.messages(2) == [f'451-["message-back",{ONE}]', "bAQID"]


async def test_attachments_may_be_anywhere_in_the_arguments(websocket):
    arguments = f'{{"a":[{{"_placeholder":true,"num":1}},{{"b":{ONE}}}]}},"text"'

    await websocket.send(f'452-["message",{arguments}]', b"\x00", b"\x11")
    event, *attachments = await websocket.messages(3)

    first, second = strict(event.removeprefix("452-"))[1]["a"]
    assert attachments[first["num"]] == b"\x11"
    assert attachments[second["b"]["num"]] == b"\x00"


@pytest.mark.parametrize("attachment", [b"", bytes(1), b"4text", bytes(200_000)], ids=len)
async def test_attachment_of_any_size_and_content_comes_back(websocket, attachment):
    await websocket.send(f'451-["message",{ONE}]', attachment)

    assert await websocket.messages(2) == [f'451-["message-back",{ONE}]', attachment]


async def test_binary_events_follow_each_other(websocket):
    for number in range(10):
        await websocket.send(f'451-["message",{ONE}]', bytes([number]), '42["message",0]')

    for number in range(10):
        assert await websocket.messages(3) == [
            f'451-["message-back",{ONE}]',
            bytes([number]),
            '42["message-back",0]',
        ]


async def test_binary_acks_nobody_asked_for_are_ignored(websocket):
    await websocket.send(f"461-5[{ONE}]", b"\x01", '42["message","next"]')

    assert await websocket.message() == '42["message-back","next"]'


async def test_clients_do_not_hear_each_other(socketio, websocket):
    other = await socketio.opened()
    await other.send("40")
    await other.messages(2)

    await websocket.send('42["message","for me"]')
    await other.send('42["message","for the other"]')

    assert await websocket.message() == '42["message-back","for me"]'
    assert await other.message() == '42["message-back","for the other"]'
