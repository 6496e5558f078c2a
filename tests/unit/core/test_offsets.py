"""Offsets come back from clients, so anything can be in one."""

import pytest

from channel_server.core import offsets
from channel_server.core.offsets import Offset


def test_an_offset_is_read_as_it_was_written():
    offset = Offset("aB3_-x9z", (1795533278590 << 64) | 17)

    assert str(offset) == "aB3_-x9z:1795533278590-17"
    assert offsets.read(str(offset)) == offset


@pytest.mark.parametrize(
    "claim",
    [
        None,
        7,
        True,
        b"e1:1-0",
        ["e1:1-0"],
        {},
        "",
        "e1",
        "e1:",
        "e1:1",
        "e1:1-",
        "e1:-1-0",
        ":1-0",
        "e1:1-0\n",
        " e1:1-0",
        "e1:1-0-0",
        "e:1:1-0",
        "e1:1٣-0",
        "ë1:1-0",
        "e1:" + "9" * 16 + "-0",
        "e1:1-" + "9" * 11,
        "e" * 33 + ":1-0",
        "x" * 100_000,
        "1" * 100_000 + "-0",
    ],
    ids=lambda claim: repr(claim)[:20],
)
def test_whatever_cannot_be_an_offset_is_none(claim):
    assert offsets.read(claim) is None


def test_positions_grow_as_stream_ids_do():
    ids = [b"0-0", b"0-1", b"1-0", b"1-9", b"1-10", b"9-0", b"10-0", b"1795533278590-0"]
    positions = [offsets.position_of(stream_id) for stream_id in ids]

    assert positions == sorted(positions)
    assert [offsets.id_of(position).encode() for position in positions] == ids


@pytest.mark.parametrize("stream_id", [b"", b"1", b"1-", b"-1", b"a-b", b"1-2-3"])
def test_what_is_no_stream_id_is_refused(stream_id):
    with pytest.raises(ValueError, match="invalid literal"):
        offsets.position_of(stream_id)


def test_a_position_knows_its_millisecond():
    position = offsets.position_of(b"1795533278590-3")

    assert offsets.milliseconds_of(position) == 1795533278590
    assert offsets.position_at(1795533278590) < position < offsets.position_at(1795533278591)
