"""Socket.IO packets from clients: any text at all."""

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from channel_server.errors import MalformedPacket
from channel_server.live.packet import Packet
from tests.property.documents import any_bytes, values

documents = any_bytes.map(lambda document: document.decode(errors="replace"))
heads = st.lists(
    st.sampled_from([*"0123456789", "-", "/", "/admin", ",", "?", "51-", "62-", "999"]), max_size=5
).map("".join)
nearly = st.builds(str.__add__, heads, documents | st.sampled_from(['["a"]', '["connect"]', "{}"]))
arguments = st.lists(values, max_size=4)
namespaces = st.none() | st.sampled_from(["/admin", "/a/b", "/\u20ac"])
numbers = st.none() | st.integers(0, 10**18)

PLACEHOLDER = '{"_placeholder":true,"num":%d}'


@settings(max_examples=500)
@given(st.text(st.characters(), min_size=1, max_size=20) | nearly)
@example("\ud800")
@example("2" + "9" * 5_000)
@example('2["a",' + "[" * 5_000)
@example('2["\\ud800",' + "[" * 5_000)
@example('2["\\ud800",' + "[" * 980 + "]" * 981)
@example("2\u0661[]")
@example("5" * 100 + "-")
def test_any_text_is_a_packet_or_refused_and_never_crashes(text):
    try:
        packet = Packet(encoded_packet=text)
    except MalformedPacket:
        return
    assert packet.packet_type in range(7)
    assert packet.attachment_count in range(100)
    assert packet.namespace is None or packet.namespace.startswith("/")


@given(st.text(max_size=10), arguments, namespaces, numbers)
def test_event_that_python_socketio_writes_is_read_as_it_was(event, rest, namespace, number):
    data = json.loads(json.dumps([f"app {event}", *rest]))
    written = Packet(2, data, namespace, number, binary=False).encode()

    packet = Packet(encoded_packet=written)

    assert (packet.packet_type, packet.namespace, packet.id) == (2, namespace, number)
    # Integers beyond 64 bits come back as floats, as they do in JavaScript.
    assert packet.data == json.loads(json.dumps(data), parse_int=narrowed)


def narrowed(digits):
    value = int(digits)
    return value if -(2**63) <= value < 2**64 else float(digits)


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=5), st.randoms())
def test_every_attachment_finds_its_place(attachments, random):
    order = list(range(len(attachments)))
    random.shuffle(order)
    places = ",".join(PLACEHOLDER % number for number in order)
    packet = Packet(encoded_packet=f'5{len(attachments)}-["a",{places}]')

    is_complete = [packet.add_attachment(attachment) for attachment in attachments]

    assert is_complete == [False] * (len(attachments) - 1) + [True]
    assert packet.data == ["a", *(attachments[number] for number in order)]
