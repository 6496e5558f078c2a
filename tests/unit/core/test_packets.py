"""Engine.IO and Socket.IO packets, by the protocols' own examples."""

import pytest

from channel_server.core.packets import (
    Incoming,
    binary_packet,
    event_packet,
    offset_packet,
    read_packet,
    read_payload,
    text_packet,
)
from channel_server.errors import MalformedPacket


def test_text_packet_is_one_text_frame():
    packet = text_packet(b"4hello")

    assert packet.text == b"4hello"
    assert packet.frame == b"\x81\x064hello"


def test_binary_packet_is_raw_in_a_frame_and_base64_in_a_payload():
    """Engine.IO protocol, "Payload": ``bAQIDBA==`` stands for 01 02 03 04."""
    packet = binary_packet(b"\x01\x02\x03\x04")

    assert packet.text == b"bAQIDBA=="
    assert packet.frame == b"\x82\x04\x01\x02\x03\x04"


def test_text_is_made_once():
    """A room of pollers shares it; a room of WebSockets never needs it."""
    packet = text_packet(b"4" + b"x" * 1_000)

    assert packet.text is packet.text


def test_polling_replies_are_left_to_the_transport():
    assert not text_packet(b"2").replies


def test_event_carries_the_body_as_it_is():
    body = b'{ "room" : "group-7" }'

    assert event_packet("records", body).text == b'42["records",{ "room" : "group-7" }]'


def test_offset_is_the_last_argument():
    """The stock client keeps the last argument of an event when it is a string."""
    assert event_packet("records", b"{}", b"e1:5-0").text == b'42["records",{},"e1:5-0"]'


def test_name_is_escaped():
    assert event_packet('a"b', b"1").text == rb'42["a\"b",1]'


@pytest.mark.parametrize(
    ("text", "packet"),
    [
        ("0", Incoming("0", "")),
        ("1", Incoming("1", "")),
        ("2probe", Incoming("2", "probe")),
        ("3", Incoming("3", "")),
        ('42["hello"]', Incoming("4", '2["hello"]')),
        ("5", Incoming("5", "")),
        ("6", Incoming("6", "")),
    ],
)
def test_packet_is_a_type_and_the_rest(text, packet):
    assert read_packet(text) == packet


@pytest.mark.parametrize(
    "text", ["", "7", "b", "bAQ==", "a", " 4", "-1", "\u0664", "\x1e"], ids=repr
)
def test_unknown_type_is_refused(text):
    with pytest.raises(MalformedPacket):
        read_packet(text)


def test_payload_is_split_at_the_separator():
    """Engine.IO protocol, "Payload"."""
    assert read_payload(b"4hello\x1e2\x1e4world") == [
        Incoming("4", "hello"),
        Incoming("2", ""),
        Incoming("4", "world"),
    ]


def test_base64_in_a_payload_is_a_binary_message():
    assert read_payload(b"4hello\x1ebAQIDBA==") == [
        Incoming("4", "hello"),
        Incoming("4", b"\x01\x02\x03\x04"),
    ]


def test_payload_is_utf_8():
    assert read_payload("4\u20ac".encode()) == [Incoming("4", "\u20ac")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x1e",
        b"4a\x1e",
        b"\x1e4a",
        b"4a\x1e\x1e4b",
        b"4a\x1e9",
        b"4\xff",
        b"\xed\xa0\x80",
        b"bA",
        b"bAQI*",
        b"b A==",
        "b\u20ac".encode(),
        b"abc",
    ],
)
def test_one_malformed_packet_refuses_the_whole_payload(body):
    with pytest.raises(MalformedPacket):
        read_payload(body)


def test_refusal_does_not_quote_the_packet():
    with pytest.raises(MalformedPacket) as caught:
        read_payload(b"xsecret")

    assert "secret" not in str(caught.value)


def test_payload_of_very_many_packets_is_refused_before_it_is_split():
    """Found in review: half a million packets in one POST took the loop for 320 ms."""
    with pytest.raises(MalformedPacket):
        read_payload(b"\x1e".join([b"3"] * 10_001))


def test_an_offset_alone_is_an_event_that_nobody_listens_to():
    assert offset_packet("e1:5-0").text == b'42["offset","e1:5-0"]'
