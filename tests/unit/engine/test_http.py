"""HTTP of the endpoint, byte by byte."""

import gzip

import orjson
import pytest

from channel_server.engine.http import HTML, JSON, TEXT, Refusal, Replies, read_query
from channel_server.engine.options import Cors
from tests.unit.engine.doubles import Answer

ORIGIN = "https://loomio.example.org"
BIG = b"x" * 1_024


@pytest.fixture
def replies():
    return Replies(Cors(origin=ORIGIN))


def test_response_is_complete():
    response = Replies(Cors()).build(200, TEXT, b"2")

    assert response == (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: text/plain; charset=UTF-8\r\n"
        b"Content-Length: 1\r\n"
        b"Cache-Control: no-store\r\n"
        b"Access-Control-Allow-Origin: *\r\n"
        b"\r\n"
        b"2"
    )


def test_length_is_counted_in_bytes(replies):
    assert Answer(replies.build(200, TEXT, "4\u20ac".encode())).headers["Content-Length"] == "4"


@pytest.mark.parametrize("status", [200, 400, 403, 413, 415, 429, 503])
def test_every_status_in_use_has_a_reason(replies, status):
    answer = Answer(replies.build(status, HTML, b"words"))

    assert (answer.status, answer.headers["Content-Type"], answer.body) == (
        status,
        "text/html",
        b"words",
    )


def test_end_of_the_connection_is_announced_only_when_it_comes(replies):
    assert Answer(replies.build(400, JSON, b"", close=True)).headers["Connection"] == "close"
    assert "Connection" not in Answer(replies.build(400, JSON, b"")).headers


def test_configured_origin_is_sent_with_credentials(replies):
    """Contract, 8.7; ``Vary`` keeps a shared cache from mixing sites up."""
    headers = Answer(replies.build(200, TEXT, b"")).headers

    assert headers["Access-Control-Allow-Origin"] == ORIGIN
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Vary"] == "Origin"


def test_without_an_origin_every_page_may_read_but_without_credentials():
    """A browser refuses credentials together with ``*``."""
    headers = Answer(Replies(Cors()).build(200, TEXT, b"")).headers

    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in headers
    assert "Vary" not in headers


def test_preflight_allows_what_was_asked_for(replies):
    answer = Answer(replies.preflight("content-type, x-thing"))

    assert answer.status == 204
    assert answer.body == b""
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Headers"] == "content-type, x-thing"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert answer.headers["Content-Length"] == "0"


def test_preflight_that_asks_for_no_headers_allows_none(replies):
    assert "Access-Control-Allow-Headers" not in Answer(replies.preflight("")).headers


def test_header_names_are_ascii_whatever_was_asked_for(replies):
    assert Answer(replies.preflight("x-\u20ac")).headers["Access-Control-Allow-Headers"] == "x-"


def test_big_payload_is_zipped_for_those_who_take_it(replies):
    answer = Answer(replies.packets(BIG, zipped=True))

    assert answer.headers["Content-Encoding"] == "gzip"
    assert int(answer.headers["Content-Length"]) == len(answer.body) < len(BIG)
    assert gzip.decompress(answer.body) == BIG


@pytest.mark.parametrize(("body", "zipped"), [(BIG, False), (BIG[1:], True), (b"", True)])
def test_other_payloads_are_sent_as_they_are(replies, body, zipped):
    answer = Answer(replies.packets(body, zipped=zipped))

    assert "Content-Encoding" not in answer.headers
    assert answer.body == body


@pytest.mark.parametrize(
    ("refusal", "status", "body"),
    [
        (Refusal.TRANSPORT_UNKNOWN, 400, {"code": 0, "message": "Transport unknown"}),
        (Refusal.SESSION_UNKNOWN, 400, {"code": 1, "message": "Session ID unknown"}),
        (Refusal.BAD_HANDSHAKE_METHOD, 400, {"code": 2, "message": "Bad handshake method"}),
        (Refusal.BAD_REQUEST, 400, {"code": 3, "message": "Bad request"}),
        (Refusal.FORBIDDEN, 403, {"code": 4, "message": "Forbidden"}),
        (
            Refusal.UNSUPPORTED_PROTOCOL,
            400,
            {"code": 5, "message": "Unsupported protocol version"},
        ),
    ],
)
def test_refusal_answers_as_engine_io_does(refusal, status, body):
    assert refusal.status == status
    assert orjson.loads(refusal.body) == body


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("EIO=4&transport=polling&t=abc", {"EIO": "4", "transport": "polling", "t": "abc"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=b%20c+d%2B", {"a": "b c d+"}),
        ("a=b=c", {"a": "b=c"}),
        ("a", {"a": ""}),
        ("a=", {"a": ""}),
        ("a=%", {"a": "%"}),
        ("a=%ff", {"a": "\ufffd"}),
        ("a=%E2%82%AC", {"a": "\u20ac"}),
    ],
)
def test_query_is_read_as_a_form(text, query):
    assert read_query(text) == query


def test_empty_query_names_nothing_that_is_asked_for():
    assert read_query("").keys().isdisjoint({"sid", "EIO", "transport", "channel_token"})
