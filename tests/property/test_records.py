"""Messages from Redis: any bytes at all."""

import json

from hypothesis import example, given
from hypothesis import strategies as st

from channel_server.core.records import CHANNELS, read
from channel_server.errors import MalformedMessage
from tests.property.documents import any_bytes, values

channels = st.sampled_from(CHANNELS)


def outcome(channel, payload):
    """What ``read`` returns, and what it raises."""
    try:
        return read(channel, payload), None
    except MalformedMessage as error:
        return None, error


@given(channels, any_bytes)
@example("/records", b'{"room":"a","x":"\xff"}')
@example("/records", b'{"room":"a","x":' + b"[" * 2_000)
@example("/records", rb'{"room":"\ud800"}')
@example("/records", b'{"room":"a","x":' + b"1" * 5_000 + rb',"y":"\ud800"}')
@example("/records", rb'{"room":"\ud800","x":' + b"[" * 5_000)
def test_any_bytes_are_accepted_or_refused_and_never_crash(channel, payload):
    """What is accepted is safe to put into a text frame."""
    broadcast, error = outcome(channel, payload)

    if broadcast is not None:
        assert broadcast.body.decode()
    if error is not None:
        assert (error.channel, error.size) == (channel, len(payload))


@given(st.text(max_size=20).filter(lambda name: name not in CHANNELS), any_bytes)
def test_other_channels_are_never_read(channel, payload):
    _, error = outcome(channel, payload)

    assert error.reason == "unknown channel"


@given(values, st.booleans())
def test_only_a_room_that_is_a_text_gets_anything(room, ascii_only):
    """Everything else is private, whatever it looks like."""
    payload = json.dumps({"records": {}, "room": room}, ensure_ascii=ascii_only).encode()

    broadcast = read("/records", payload)

    if isinstance(room, str) and room:
        assert broadcast.room == room
        assert broadcast.body is payload
    else:
        assert broadcast is None


@given(any_bytes)
def test_notice_is_for_everybody_or_for_nobody(payload):
    broadcast, error = outcome("/system_notice", payload)

    if error is None:
        assert (broadcast.room, broadcast.event) == ("notice", "notice")
