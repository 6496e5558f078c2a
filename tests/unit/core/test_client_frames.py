"""Masked frames by hand; the bits are those of RFC 6455, 5.2."""

import pytest

from channel_server.core.client_frames import LOST, missing_after, short_message
from tests.unit.engine.doubles import frame

MASK = b"\1\2\3\4"
PONG = b"\x81\x81" + MASK + b"\x32"  # "3", masked


@pytest.mark.parametrize("payload", [b"", b"3", b"\0\xff\0\xff\0", b"x" * 125])
@pytest.mark.parametrize("first", [0x81, 0x82])
def test_short_message_is_unmasked(payload, first):
    assert short_message(frame(first, payload)) == payload


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x81", id="half a header"),
        pytest.param(PONG[:-1], id="cut short"),
        pytest.param(PONG + PONG, id="two frames"),
        pytest.param(PONG + PONG[:1], id="one and a bit"),
        pytest.param(b"\x81\x01" + MASK + b"3", id="not masked"),
        pytest.param(frame(0x01, b"3"), id="first fragment"),
        pytest.param(frame(0x80, b"3"), id="last fragment"),
        pytest.param(frame(0x89, b"3"), id="ping"),
        pytest.param(frame(0x88, b""), id="close"),
        pytest.param(frame(0xC1, b"3"), id="compressed"),
        pytest.param(b"\x81\xfe\x00\x7e" + MASK + bytes(126), id="126 bytes"),
        pytest.param(b"\x81\xfe\x00\x01" + MASK + b"3", id="length written too long"),
    ],
)
def test_all_else_is_for_the_parser(data):
    assert short_message(data) is None


@pytest.mark.parametrize(
    ("data", "missing", "left"),
    [
        (b"", 0, 0),
        (PONG, 0, 0),
        (PONG + PONG, 0, 0),
        (PONG[:2], 0, 5),
        (PONG + PONG[:-1], 0, 1),
        (PONG[:1], 0, LOST),
        (PONG[2:], 5, 0),
        (PONG[2:] + PONG, 5, 0),
        (b"xx", 5, 3),
        (b"xxx\x81", 3, LOST),
        (b"\x81\x01", 0, LOST),
        (b"\x82\xfe\x01\x00", 0, 4 + 256),
        (b"\x82\xfe\x01", 0, LOST),
        (b"\x82\xff" + (70_000).to_bytes(8), 0, 4 + 70_000),
        (b"\x82\xff" + (70_000).to_bytes(8)[:-1], 0, LOST),
        (PONG, LOST, LOST),
    ],
)
def test_what_is_missing_of_a_frame_is_known_until_a_header_is_cut_or_not_masked(
    data, missing, left
):
    assert missing_after(data, missing) == left
