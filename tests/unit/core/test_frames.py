"""Boundaries come from the table in RFC 6455, 5.2."""

import pytest

from channel_server.core.frames import binary_frame, is_binary, payload_of, text_frame

BOUNDARIES = [
    (0, "00"),
    (125, "7d"),
    (126, "7e 00 7e"),
    (65_535, "7e ff ff"),
    (65_536, "7f 00 00 00 00 00 01 00 00"),
]


@pytest.mark.parametrize(("size", "length"), BOUNDARIES)
def test_header_grows_only_past_each_boundary(size, length):
    """The shortest length form that fits is used, as the RFC demands."""
    payload = b"x" * size

    frame = text_frame(payload)

    assert frame == bytes.fromhex("81" + length) + payload


@pytest.mark.parametrize(("size", "length"), BOUNDARIES)
def test_binary_frame_differs_in_the_opcode_only(size, length):
    payload = b"x" * size

    frame = binary_frame(payload)

    assert frame == bytes.fromhex("82" + length) + payload


@pytest.mark.parametrize("size", [size for size, _ in BOUNDARIES])
def test_frame_gives_its_payload_back(size):
    payload = b"x" * size

    assert payload_of(text_frame(payload)) == payload_of(binary_frame(payload)) == payload


def test_frame_knows_its_kind():
    assert is_binary(binary_frame(b"x"))
    assert not is_binary(text_frame(b"x"))


def test_payload_may_come_in_parts():
    assert text_frame(b"4", b"", b"2[]") == text_frame(b"42[]")
