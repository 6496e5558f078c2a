"""Numbers, bytes and strings as lib0 encodes them; round trips: tests/property/test_lib0.py."""

import pytest

from channel_server.collab.lib0 import Reader, buffer, string, uint
from channel_server.errors import MalformedFrame

LARGEST = 2**53 - 1


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (LARGEST, b"\xff\xff\xff\xff\xff\xff\xff\x0f"),
    ],
)
def test_number_is_little_endian_in_groups_of_seven_bits(value, encoded):
    assert uint(value) == encoded
    assert Reader(encoded).uint() == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "ends in a number"),
        (b"\x80", "ends in a number"),
        (b"\xff" * 7 + b"\x1f", "a number is too large"),
        (b"\x80" * 20, "a number is too long"),
    ],
)
def test_number_that_cannot_be_one_is_refused(data, reason):
    with pytest.raises(MalformedFrame, match=reason):
        Reader(data).uint()


@pytest.mark.parametrize("data", [b"\x02a", uint(LARGEST) + b"a", b"\x80"])
def test_bytes_longer_than_what_there_is_are_refused(data):
    with pytest.raises(MalformedFrame):
        Reader(data).buffer()


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80"])
def test_text_has_to_be_utf_8(text):
    with pytest.raises(MalformedFrame, match="not UTF-8"):
        Reader(buffer(text)).string()


def test_values_are_read_one_after_the_other():
    reader = Reader(string("é") + b"\x07" + buffer(b"ab") + uint(300) + b"skip")

    assert (reader.string(), reader.byte(), reader.buffer(), reader.uint()) == ("é", 7, b"ab", 300)
    assert reader.left == 4
    reader.skip(4)
    assert reader.left == 0
    with pytest.raises(MalformedFrame):
        reader.byte()
    with pytest.raises(MalformedFrame):
        reader.skip(1)
