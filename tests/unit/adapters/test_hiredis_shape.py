"""What ``adapters/line.py`` knows of hiredis. Red after an upgrade: read the source.

Behaviour against a real Redis is tested in tests/integration.
"""

import hiredis
import pytest


@pytest.fixture
def reader():
    return hiredis.Reader()


def test_reader_returns_false_until_a_reply_is_complete(reader):
    """Only False: an empty array, 0 and a null are replies."""
    assert reader.gets() is False

    reader.feed(b"$5\r\nhel")
    assert reader.gets() is False
    reader.feed(b"lo\r\n")
    assert reader.gets() == b"hello"
    assert reader.gets() is False


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        (b":0\r\n", 0),
        (b"$-1\r\n", None),
        (b"*0\r\n", []),
        (b"*-1\r\n", None),
        (b"$0\r\n\r\n", b""),
        (b"+OK\r\n", b"OK"),
        (b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\n\xff\x00\r\n", [b"message", b"c", b"\xff\x00"]),
    ],
)
def test_replies_are_bytes_numbers_lists_and_none(reader, data, reply):
    reader.feed(data)

    assert reader.gets() == reply


def test_error_reply_is_a_value_and_not_raised(reader):
    reader.feed(b"-LOADING Redis is loading\r\n")

    reply = reader.gets()

    assert isinstance(reply, hiredis.ReplyError)
    assert str(reply) == "LOADING Redis is loading"


def test_what_is_not_the_protocol_is_raised(reader):
    reader.feed(b"HTTP/1.1 400 Bad Request\r\n")

    with pytest.raises(hiredis.ProtocolError):
        reader.gets()
