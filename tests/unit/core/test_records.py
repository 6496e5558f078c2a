"""What comes from Redis, checked; any bytes at all: tests/property/test_records.py."""

import pytest

from channel_server.core.records import CHANNELS, Broadcast, read
from channel_server.errors import MalformedMessage

SECRET = b"very private words"


def test_the_channels_are_those_of_the_contract():
    assert CHANNELS == ("/records", "/system_notice")


def test_records_go_to_the_named_room_byte_for_byte():
    """Nothing is decoded and encoded again: blanks, key order and escapes survive."""
    payload = (
        b'{ "records" : {"events":[{"id":1.0,"t":"\\u003cb\\u003e"}]} , "room" : "group-7"}\n'
    )

    broadcast = read("/records", payload)

    assert broadcast == Broadcast("group-7", "records", payload)
    assert broadcast.body is payload


@pytest.mark.parametrize(
    "payload",
    [
        b'{"version":"3.0.12","notice":"soon","reload":false}',
        b'{"notice":null}',
        b"{}",
        b'{"room":"group-7","notice":"soon"}',
    ],
)
def test_notice_goes_to_everybody_whatever_it_says(payload):
    """``notice: null`` clears the bar, and a room in it means nothing."""
    assert read("/system_notice", payload) == Broadcast("notice", "notice", payload)


@pytest.mark.parametrize(
    "room",
    ["null", '""', "7", "0", "true", '["group-7"]', '{"id":7}', "1.5"],
)
def test_room_that_is_no_text_reaches_nobody(room):
    """Contract 1.4: direct polls have no room, and their content is private."""
    payload = b'{"room":%s,"records":{}}' % room.encode()

    assert read("/records", payload) is None


def test_missing_room_reaches_nobody():
    assert read("/records", b'{"records":{"polls":[]}}') is None


MALFORMED = {
    "nothing": b"",
    "not UTF-8": b'{"room":"group-7","x":"\xff' + SECRET + b'"}',
    "NaN": b'{"room":"group-7","x":NaN}',
    "byte order mark": b'\xef\xbb\xbf{"room":"group-7"}',
    "UTF-16": '{"room":"group-7"}'.encode("utf-16"),
    "array": b'[{"room":"group-7"}]',
    "text": b'"' + SECRET + b'"',
    "number": b"7",
    "null": b"null",
    "2,000 nested brackets": b'{"room":"group-7","x":' + b"[" * 2_000 + b"]" * 2_000 + b"}",
    "2,000 open brackets": b"[" * 2_000,
    "cut short": b'{"room":"group-7","x":"' + SECRET,
    "NaN behind a lone surrogate": rb'{"room":"group-7","x":["\ud800",NaN]}',
}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_would_close_every_browser_in_the_room_is_refused(channel, payload):
    with pytest.raises(MalformedMessage) as caught:
        read(channel, payload)

    assert caught.value.channel == channel
    assert caught.value.size == len(payload)


@pytest.mark.parametrize("payload", MALFORMED.values(), ids=MALFORMED.keys())
def test_refusal_does_not_quote_the_payload(payload):
    """The reason is logged; the payload may be private."""
    with pytest.raises(MalformedMessage) as caught:
        read("/records", payload)

    assert SECRET.decode() not in str(caught.value)


@pytest.mark.parametrize("channel", ["records", "/records/", "chatbot/test", ""])
def test_other_channels_are_refused_before_the_payload_is_looked_at(channel):
    with pytest.raises(MalformedMessage, match="unknown channel"):
        read(channel, b'{"room":"group-7"}')


def test_escaped_lone_surrogate_is_passed_on():
    """The browser accepts it, so it is no reason to lose the message."""
    payload = rb'{"room":"group-7","records":{"comments":[{"body":"\ud83d"}]}}'

    assert read("/records", payload) == Broadcast("group-7", "records", payload)
