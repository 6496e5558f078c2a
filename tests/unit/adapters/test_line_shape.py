"""What ``adapters/line.py`` knows of redis-py and hiredis. Red after an upgrade: read the source.

Behaviour against a real Redis is tested in tests/integration.
"""

import asyncio
import inspect

import hiredis
import pytest
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection, Connection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

OPTIONS = {
    "protocol": 2,
    "driver_info": None,
    "socket_connect_timeout": 5.0,
    "socket_timeout": 5.0,
}


def connection_to(url):
    """What Line.open makes, up to the moment of connecting."""
    return ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **OPTIONS).make_connection()


@pytest.fixture
def reader():
    return hiredis.Reader()


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("redis://:secret@localhost:1/3", "Connection"),
        ("rediss://user:secret@localhost:1", "SSLConnection"),
        ("unix:///some/where.sock?db=3", "UnixDomainSocketConnection"),
    ],
)
def test_every_kind_of_url_makes_a_connection(url, kind):
    connection = connection_to(url)

    assert type(connection).__name__ == kind
    assert isinstance(connection, AbstractConnection)


def test_connection_has_a_reader_and_a_writer_to_take_over():
    connection = connection_to("redis://localhost:1")

    assert connection._reader is None
    assert connection._writer is None


@pytest.mark.parametrize("kind", [Connection, UnixDomainSocketConnection])
def test_reader_and_writer_are_streams_of_asyncio(kind):
    """The transport is the writer's; its protocol is replaced."""
    source = inspect.getsource(kind._connect)

    assert "self._reader = reader" in source
    assert "self._writer = writer" in source
    assert hasattr(asyncio.StreamWriter, "transport")


def test_connection_without_streams_counts_as_closed():
    """So its destructor leaves the transport alone that we have taken."""
    connection = connection_to("redis://localhost:1")

    assert not connection.is_connected


def test_protocol_2_and_no_driver_info_are_taken_as_they_are():
    """Redis 5 knows neither HELLO nor CLIENT SETINFO."""
    connection = connection_to("redis://localhost:1")

    assert connection.protocol == 2
    assert connection.driver_info is None


def test_retry_without_retries_is_accepted():
    assert connection_to("redis://localhost:1").retry.get_retries() == 0


def test_connect_takes_no_arguments():
    assert inspect.iscoroutinefunction(AbstractConnection.connect)
    assert list(inspect.signature(AbstractConnection.connect).parameters) == ["self"]


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
