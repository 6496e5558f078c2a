"""Engine.IO packets: any bytes, and there and back."""

import contextlib

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.core.packets import (
    SEPARATOR,
    Incoming,
    binary_packet,
    event_packet,
    read_packet,
    read_payload,
    text_packet,
)
from channel_server.errors import MalformedPacket

kinds = st.sampled_from("0123456")
words = st.text(max_size=20).filter(lambda text: SEPARATOR not in text)
texts = st.builds(Incoming, kinds, words)
binaries = st.builds(Incoming, st.just("4"), st.binary(max_size=20))

# Bytes that look like a payload, which chance alone seldom writes.
parts = st.sampled_from([b"4", b"b", b"\x1e", b"2probe", b"=", b"AQ==", b"\xff", b"7", b""])
nearly = st.lists(parts | st.binary(max_size=3), max_size=10).map(b"".join)


def prepared(packet):
    if isinstance(packet.data, bytes):
        return binary_packet(packet.data)
    return text_packet((packet.kind + packet.data).encode())


@given(st.binary(max_size=100) | nearly)
@example(b"")
@example(b"b\xc3\xa9")
@example(b"4" + b"\xed\xa0\x80")
def test_any_payload_is_read_or_refused_and_never_crashes(body):
    with contextlib.suppress(MalformedPacket):
        packets = read_payload(body)

        assert len(packets) == body.count(b"\x1e") + 1
        assert all(packet.kind in set("0123456") for packet in packets)


@given(st.text(st.characters(), max_size=20))
@example("")
@example("\ud800")
def test_any_text_is_a_packet_or_refused(text):
    try:
        packet = read_packet(text)
    except MalformedPacket:
        assert text[:1] not in set("0123456")
    else:
        assert packet.kind + packet.data == text


@given(st.lists(texts | binaries, min_size=1, max_size=5))
def test_payload_that_we_write_is_read_as_it_was(packets):
    body = SEPARATOR.encode().join(prepared(packet).text for packet in packets)

    assert read_payload(body) == packets


@given(
    st.text(max_size=20),
    st.none() | st.from_regex(r"[A-Za-z0-9_-]{8}:[0-9]+-[0-9]+", fullmatch=True),
)
def test_event_is_json_around_the_body_as_it_is(event, offset):
    body = b'{ "a" : 1.0 }'

    packet = event_packet(event, body, None if offset is None else offset.encode()).text

    assert body in packet
    expected = [event, {"a": 1.0}] if offset is None else [event, {"a": 1.0}, offset]
    assert orjson.loads(packet.removeprefix(b"42")) == expected
