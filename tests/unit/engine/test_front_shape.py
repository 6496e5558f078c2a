"""What ``engine/front.py`` knows of aiohttp's inside. Red after an upgrade: read the new source.

Front takes requests out before aiohttp sees them, and hands others on through these names. A
change here does not always fail a test of Front: a lost attribute would be set and never read.
"""

import ast
import asyncio
import inspect
from collections import deque

import pytest
from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, RawRequestMessage
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_urldispatcher import SystemRoute

from channel_server.engine import front
from channel_server.engine.front import Front
from tests.unit.engine.doubles import Wire

BORROWED = {
    "_close",
    "_force_close",
    "_loop",
    "_manager",
    "_message_tail",
    "_messages",
    "_parser",
    "_request_factory",
    "_request_handler",
    "_upgraded",
    "_waiter",
    "transport",
}
OVERRIDDEN = {
    "connection_made": "(self, transport: asyncio.transports.BaseTransport) -> None",
    "connection_lost": "(self, exc: BaseException | None) -> None",
    "data_received": "(self, data: bytes) -> None",
    "finish_response": (
        "(self, request: aiohttp.web_request.BaseRequest,"
        " resp: aiohttp.web_response.StreamResponse, start_time: float | None)"
        " -> tuple[aiohttp.web_response.StreamResponse, bool]"
    ),
}
KEYWORDS = {
    "access_log",
    "auto_decompress",
    "keepalive_timeout",
    "loop",
    "max_field_size",
    "max_line_size",
    "read_bufsize",
}


def used_on_self():
    """Names that front.py uses on ``self`` and does not define."""
    tree = ast.parse(inspect.getsource(front))
    names = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    return names - set(Front.__slots__) - vars(Front).keys()


@pytest.fixture
def handler():
    """aiohttp's own handler, as Front makes one."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        server = runner.run(made(lambda: web.Server(None)))
        yield runner.run(made(lambda: RequestHandler(server, loop=loop)))


async def made(make):
    """Make something that asks for the running loop."""
    return make()


def parse(handler, data):
    return handler._parser.feed_data(data)


def test_the_list_of_borrowed_names_is_complete():
    """A new one in front.py belongs into BORROWED, and under these tests."""
    assert used_on_self() == BORROWED


@pytest.mark.parametrize("name", sorted(BORROWED))
def test_borrowed_attribute_exists_in_a_new_handler(handler, name):
    assert hasattr(handler, name)


@pytest.mark.parametrize("name", sorted(BORROWED))
def test_borrowed_attribute_is_a_slot(name):
    """A plain attribute would go to a ``__dict__`` of Front and cost 100 bytes and more."""
    slots = {slot for kind in RequestHandler.__mro__ for slot in getattr(kind, "__slots__", ())}

    assert name in slots


def test_front_adds_slots_that_aiohttp_does_not_have():
    slots = {slot for kind in RequestHandler.__mro__ for slot in getattr(kind, "__slots__", ())}

    assert slots.isdisjoint(Front.__slots__)


def test_handler_begins_idle_and_empty(handler):
    """Front reads these before aiohttp has done anything."""
    assert handler._close is False
    assert handler._force_close is False
    assert handler._upgraded is False
    assert handler._waiter is None
    assert handler._messages == deque()
    assert handler._message_tail == b""
    assert handler.transport is None


@pytest.mark.parametrize(("name", "signature"), OVERRIDDEN.items())
def test_overridden_method_has_the_signature_it_had(name, signature):
    found = inspect.signature(getattr(RequestHandler, name), eval_str=False)
    ours = inspect.signature(getattr(Front, name))

    assert plain(found) == plain_text(signature)
    assert list(ours.parameters) == list(found.parameters)


def plain(signature):
    return plain_text(str(signature))


def plain_text(text):
    """A signature without quotes and module names: how they are written is not the point."""
    for noise in (
        "'",
        '"',
        "aiohttp.web_request.",
        "aiohttp.web_response.",
        "asyncio.transports.",
        "asyncio.",
    ):
        text = text.replace(noise, "")
    return text


def test_constructor_takes_our_keywords():
    parameters = inspect.signature(RequestHandler.__init__).parameters

    assert parameters.keys() >= KEYWORDS
    assert list(parameters)[1] == "manager"


def test_finish_response_is_still_called_for_every_response():
    """It is where Front learns that the next request may begin."""
    source = inspect.getsource(RequestHandler._handle_request)

    assert "self.finish_response(request, resp, start_time)" in source


def test_start_waits_on_the_waiter_and_takes_from_the_messages():
    """Front wakes it by hand, and leaves ``message_consumed`` to it."""
    source = inspect.getsource(RequestHandler.start)

    for line in (
        "self._waiter = loop.create_future()",
        "self._messages.popleft()",
        "self._parser.message_consumed()",
    ):
        assert line in source


def test_parser_returns_messages_upgrade_and_tail(handler):
    head = b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    messages, is_upgrade, tail = parse(handler, head + b"tail")

    ((message, payload),) = messages
    assert is_upgrade
    assert tail == b"tail"
    assert message.upgrade
    assert payload.is_eof()


def test_parser_has_no_upgrade_without_the_header(handler):
    messages, is_upgrade, tail = parse(handler, b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")

    assert len(messages) == 1
    assert (bool(is_upgrade), tail) == (False, b"")


def test_parsed_message_has_the_fields_that_are_read(handler):
    data = (
        b"POST /x?a=b HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"
    )

    (((message, _),), _, _) = parse(handler, data)

    assert isinstance(message, RawRequestMessage)
    assert (message.method, message.path) == ("POST", "/x?a=b")
    assert message.headers.get("hOST") == "x"
    assert message.compression == "gzip"
    assert message.should_close
    assert not message.upgrade


def test_body_is_a_stream_that_counts_its_bytes(handler):
    """``total_bytes`` is what stops a body without a length in time."""
    (((_, payload),), _, _) = parse(
        handler, b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc"
    )

    assert isinstance(payload, StreamReader)
    assert payload.total_bytes == 3
    assert not payload.is_eof()
    parse(handler, b"def")
    assert payload.is_eof()
    assert payload.total_bytes == 6
    assert payload.read_nowait() == b"abcdef"


def test_consumed_messages_free_places_in_the_parser(handler):
    """Without ``message_consumed`` the parser stops emitting after some requests."""
    one = b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n"
    count = 0
    for _ in range(200):
        messages, _, _ = parse(handler, one)
        for _ in messages:
            handler._parser.message_consumed()
            count += 1

    assert count == 200


def test_parser_is_the_fast_one():
    """The pure Python parser costs ten times as much; a wheel without it would go unnoticed."""
    assert HttpRequestParser.__module__ == "aiohttp._http_parser"


def test_front_does_without_aiohttps_connection_made():
    """What that would do is left to the first request for aiohttp; nothing else is in there."""
    source = inspect.getsource(RequestHandler.connection_made)

    for line in ("super().connection_made", "tcp_keepalive", "_manager.connection_made"):
        assert line in source
    assert hasattr(Wire(), "get_extra_info")


@pytest.mark.asyncio
async def test_an_unknown_path_is_answered_by_a_route_that_holds_its_own_method():
    """That circle is broken when the answer is written."""
    route = (await web.UrlDispatcher().resolve(make_mocked_request("GET", "/nothing"))).route

    assert isinstance(route, SystemRoute)
    assert route._handler == route._handle
