"""One TCP connection as it comes in: bytes to aiohttp's parser, answers on the wire."""

import asyncio
import gc
import weakref
from dataclasses import dataclass, field

import orjson
import pytest
import pytest_asyncio
from aiohttp import web

from channel_server.core.packets import text_packet
from channel_server.engine.front import Front
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from tests.unit.engine.doubles import Answer, Browser, Wire, until

pytestmark = pytest.mark.asyncio

PATH = "/socket.io/?EIO=4&transport=polling"
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
MAX_PAYLOAD = 1_000


@dataclass
class Connection:
    """A client's end of a front."""

    front: Front
    wire: Wire = field(default_factory=Wire)

    def send(self, data):
        self.front.data_received(data.encode() if isinstance(data, str) else data)

    def ask(self, target, *, method="GET", headers="", body=""):
        if method == "POST" and "Transfer-Encoding" not in headers:
            headers += f"Content-Length: {len(body)}\r\n"
        self.send(f"{method} {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}")

    def answers(self):
        """Responses since the last call."""
        parts = self.wire.take().split(b"HTTP/1.1 ")[1:]
        return [Answer(b"HTTP/1.1 " + part) for part in parts]

    def answer(self):
        (answer,) = self.answers()
        return answer

    def open(self):
        """Open a polling session; return its id."""
        self.ask(PATH)
        return orjson.loads(self.answer().body[1:])["sid"]


def aiohttp_tasks():
    """Tasks of request handlers; none may outlive its connection."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("RequestHandler.")]


@pytest.fixture
def engine():
    return Engine(options=Options(max_payload=MAX_PAYLOAD, max_connections=3))


@pytest_asyncio.fixture
async def connect(engine):
    """Accept connections; each is lost at the end of the test."""
    connections = []

    async def elsewhere(request):
        body = await request.text()
        return web.Response(text=f"{request.method} {request.path} {body}".strip())

    server = web.Server(elsewhere)

    def accept():
        connection = Connection(Front(engine, server, asyncio.get_running_loop()))
        connections.append(connection)
        connection.front.connection_made(connection.wire)
        return connection

    yield accept
    for connection in connections:
        if connection.wire.protocol is None:
            connection.front.connection_lost(None)
    await until(lambda: not aiohttp_tasks())


@pytest_asyncio.fixture
async def connection(connect):
    return connect()


@pytest_asyncio.fixture
async def sid(connection, handlers):
    """Id of an open session; the engine runs."""
    del handlers
    return connection.open()


# ── requests ────────────────────────────────────────────────────────────────────────────────


async def test_request_may_come_byte_by_byte(connection):
    for byte in f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n".encode():
        connection.send(bytes((byte,)))

    assert connection.answer().body.startswith(b'0{"sid"')


async def test_no_task_is_made_for_a_request_of_the_engine(connection):
    """That is what the short way is for."""
    before = asyncio.all_tasks()

    connection.open()

    assert asyncio.all_tasks() == before


async def test_connection_is_kept_for_the_next_request(connection):
    connection.open()
    connection.open()

    assert not connection.wire.is_closed


async def test_connection_ends_with_the_request_that_says_so(connection):
    connection.ask(PATH, headers="Connection: close\r\n")

    assert connection.answer().status == 200
    assert connection.wire.is_closed


async def test_pipelined_requests_are_answered_in_order(connection):
    data = f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"

    connection.send(data + f"GET {PATH}&sid=no HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = []
    await until(lambda: len(answers.extend(connection.answers()) or answers) == 3)

    assert [answer.status for answer in answers] == [200, 200, 400]
    assert answers[1].body == b"GET /x"


async def test_request_behind_a_waiting_poll_has_to_wait(connection, engine, sid):
    connection.ask(f"{PATH}&sid={sid}")
    connection.ask(PATH)
    assert connection.answers() == []

    engine.sessions[sid].write(text_packet(b"4a"))
    await until(lambda: len(engine.sessions) == 2)

    assert [answer.body[:2] for answer in connection.answers()] == [b"4a", b"0{"]


async def test_too_many_requests_in_one_go_are_refused(connection):
    """Each would wait in memory for its turn."""
    connection.send(f"GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n" * 17)

    assert connection.answer().status == 400
    assert connection.wire.is_shut


@pytest.mark.parametrize(
    "data",
    [
        "nonsense\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_answered_400_and_closed(connection, data):
    connection.send(data)

    assert connection.answer().status == 400
    assert connection.wire.is_shut


@pytest.mark.parametrize(
    "data",
    [
        f"GET /{'x' * 17_000} HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nA: {'x' * 17_000}\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 128 + "\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\n" + "A: " + "b" * 66_000,
    ],
    ids=["long line", "long header", "129 headers", "64 KiB without an end"],
)
async def test_a_head_that_is_too_large_is_answered_431_and_closed(connection, data):
    connection.send(data)

    assert connection.answer().status == 431
    assert connection.wire.is_shut


async def test_128_headers_are_read(connection):
    connection.send("GET / HTTP/1.1\r\nHost: x\r\n" + "A: b\r\n" * 127 + "\r\n")

    assert connection.answers() == []


async def test_a_poll_that_waits_on_a_refused_connection_is_given_up_at_once(
    connection, engine, sid
):
    """Its client would be told that it polls twice, and be hung up."""
    connection.ask(f"{PATH}&sid={sid}")
    connection.send("nonsense\r\n\r\n")

    assert connection.answer().status == 400
    assert sid not in engine.sessions


@pytest.mark.parametrize("name", [None, ""])
async def test_a_peer_without_an_address_is_a_proxy_only_on_a_unix_socket(connection, name):
    """A TCP connection that was reset has no name any more: anybody could pose as our proxy."""
    connection.wire._extra["peername"] = name

    assert connection.front.peer == ("unix" if name == "" else "")


async def test_peer_is_the_address_of_the_other_end(connection):
    assert connection.front.peer == "192.0.2.1"


async def test_peer_of_a_lost_connection_is_nobody(connection):
    connection.front.connection_lost(None)

    assert connection.front.peer == ""


@pytest.mark.parametrize(
    ("headers", "takes_gzip"),
    [("Accept-Encoding: gzip, deflate, br\r\n", True), ("Accept-Encoding: br\r\n", False)],
)
async def test_client_says_whether_it_takes_gzip(connection, sid, headers, takes_gzip):
    connection.ask(f"{PATH}&sid={sid}", headers=headers)

    assert connection.front.takes_gzip is takes_gzip


async def test_connection_without_a_request_takes_nothing(connection):
    assert not connection.front.takes_gzip
    connection.front.reply(b"nobody has asked")
    assert connection.answers() == []


# ── bodies ──────────────────────────────────────────────────────────────────────────────────


async def test_body_may_come_with_its_head(connection, sid):
    connection.ask(f"{PATH}&sid={sid}", method="POST", body="3")

    assert connection.answer().body == b"ok"


async def test_body_may_come_in_pieces(connection, engine, sid):
    connection.send(f"POST {PATH}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    connection.send("3")
    assert engine.sessions[sid].polling.is_posting
    assert connection.answers() == []

    connection.send("\x1e3")

    assert connection.answer().body == b"ok"
    assert not engine.sessions[sid].polling.is_posting


async def test_request_behind_a_body_in_pieces_is_served_after_it(connection, sid):
    connection.send(f"POST {PATH}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n")

    connection.send(f"3GET {PATH} HTTP/1.1\r\nHost: x\r\n\r\n")
    answers = []
    await until(lambda: len(answers.extend(connection.answers()) or answers) == 2)

    assert [answer.body[:2] for answer in answers] == [b"ok", b"0{"]


async def test_body_may_be_chunked(connection, sid):
    connection.ask(f"{PATH}&sid={sid}", method="POST", headers="Transfer-Encoding: chunked\r\n")
    connection.send("1\r\n3\r\n")
    connection.send("0\r\n\r\n")

    assert connection.answer().body == b"ok"


async def test_body_is_asked_for_when_the_client_waits_for_it(connection, sid):
    connection.send(
        f"POST {PATH}&sid={sid} HTTP/1.1\r\nHost: x\r\n"
        "Content-Length: 1\r\nExpect: 100-Continue\r\n\r\n"
    )

    assert connection.answer().status == 100
    connection.send("3")
    assert connection.answer().body == b"ok"


async def test_body_that_is_announced_as_too_long_is_not_read(connection, sid):
    connection.send(
        f"POST {PATH}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: {MAX_PAYLOAD + 1}\r\n\r\n"
    )

    assert connection.answer().status == 413
    assert connection.wire.is_shut


async def test_body_that_comes_at_once_and_is_too_long_is_refused(connection, sid):
    connection.ask(f"{PATH}&sid={sid}", method="POST", body="4" * (MAX_PAYLOAD + 1))

    assert connection.answer().status == 413


async def test_chunked_body_is_cut_off_when_it_grows_too_long(connection, engine, sid):
    """It announces no length; the session of who sends it is over."""
    connection.ask(f"{PATH}&sid={sid}", method="POST", headers="Transfer-Encoding: chunked\r\n")
    connection.send("258\r\n" + "4" * 600 + "\r\n")
    assert connection.answers() == []

    connection.send("258\r\n" + "4" * 600 + "\r\n")

    assert connection.answer().status == 413
    assert connection.wire.is_shut
    connection.front.connection_lost(None)
    assert engine.sessions == {}


async def test_body_of_the_greatest_length_is_accepted(connection, sid):
    connection.ask(f"{PATH}&sid={sid}", method="POST", body="4" * MAX_PAYLOAD)

    assert connection.answer().body == b"ok"


async def test_compressed_body_is_refused(connection, sid):
    """A kilobyte could unpack to a gigabyte."""
    headers = "Content-Encoding: gzip\r\n"

    connection.ask(f"{PATH}&sid={sid}", method="POST", headers=headers, body="3")

    assert connection.answer().status == 415
    assert connection.wire.is_shut


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_body_of_another_method_is_not_read(connection, method):
    head = f"{method} {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"

    connection.send(head)

    assert connection.answer().status == 400
    assert connection.wire.is_shut


async def test_second_post_that_begins_elsewhere_ends_both(connection, connect, engine, sid):
    head = f"POST {PATH}&sid={sid} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    other = connect()
    connection.send(head)

    other.send(head)

    assert other.answer().status == 400
    assert other.wire.is_shut
    assert engine.sessions == {}


# ── the connection ──────────────────────────────────────────────────────────────────────────


async def test_connection_beyond_the_limit_is_told_so(connect, engine):
    for _ in range(3):
        connect()

    refused = connect()

    assert refused.answer().status == 503
    assert refused.wire.is_closed
    assert engine.doors.refused == {"too many connections": 1}


async def test_lost_connection_ends_the_session_whose_poll_waits_on_it(connection, engine, sid):
    connection.ask(f"{PATH}&sid={sid}")

    connection.front.connection_lost(OSError("reset"))

    assert engine.sessions == {}
    assert engine.hang_ups == {"transport close": 1}


async def test_lost_connection_without_a_waiting_poll_ends_nothing(connection, engine, sid):
    """A client may use a new connection for each poll."""
    connection.front.connection_lost(None)

    assert sid in engine.sessions
    assert not engine.doors.fronts


async def test_lost_connection_ignores_late_answers_and_late_bytes(connection, engine, sid):
    connection.ask(f"{PATH}&sid={sid}")
    connection.front.connection_lost(None)

    connection.front.reply(b"late")
    connection.front.refuse(400, b"", b"late")
    connection.front.drop()
    connection.ask(PATH)

    assert connection.answers() == []
    assert engine.sessions == {}


async def test_front_is_freed_as_soon_as_its_connection_is_lost(engine):
    """aiohttp's parser and its protocol hold each other; 6 KB should not wait for the gc."""
    front = Front(engine, web.Server(None), asyncio.get_running_loop())
    front.connection_made(Wire())
    seen = weakref.WeakSet((Alive(front),))
    gc.disable()
    try:
        front.connection_lost(None)
        del front
        assert not seen
    finally:
        gc.enable()


class Alive:
    """Lives as long as a front: it hangs on one of its attributes."""

    def __init__(self, front):
        front._tail = self


async def test_answer_that_is_not_read_puts_the_connection_on_the_list(connection, engine):
    """The session's outbox is empty by then; somebody has to watch the socket."""
    connection.open()
    assert connection.front not in engine.doors._overfull

    connection.wire.unread_bytes = engine.options.write_limit + 1
    connection.open()

    assert connection.front in engine.doors._overfull


async def test_lost_connection_has_nothing_unread(connection):
    connection.wire.unread_bytes = 5
    assert connection.front.unread_bytes == 5

    connection.front.connection_lost(None)

    assert connection.front.unread_bytes == 0


async def test_dropped_connection_is_aborted(connection):
    connection.front.drop()

    assert connection.wire.is_aborted


async def test_connection_that_says_nothing_is_on_the_list_until_it_asks(connection, engine):
    assert connection.front in engine.doors._silent

    connection.open()

    assert connection.front not in engine.doors._silent
    assert connection.front in engine.doors._idle


# ── WebSocket ───────────────────────────────────────────────────────────────────────────────


async def test_accepted_websocket_leaves_aiohttp(connection, engine):
    connection.ask("/socket.io/?EIO=4&transport=websocket", headers=UPGRADE)

    (session,) = engine.sessions.values()
    assert connection.wire.protocol is session.socket
    assert connection.wire.take().startswith(b"HTTP/1.1 101 ")
    assert not engine.doors.fronts
    assert engine.doors.socket_count == 1
    assert connection.front.transport is None


async def test_frames_right_behind_the_request_are_not_lost(connection, handlers):
    """A client may not wait for our 101."""
    frame = Browser().text("4hello")
    head = f"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n"
    await asyncio.sleep(0)

    connection.send(head.encode() + frame)
    await until(lambda: handlers.heard)

    assert [data for _, data in handlers.heard] == ["hello"]


async def test_refused_upgrade_ends_the_connection(connection, engine):
    """What follows on it may be frames."""
    connection.ask("/socket.io/?EIO=3&transport=websocket", headers=UPGRADE)

    assert connection.answer().status == 400
    assert connection.wire.is_closed
    assert engine.sessions == {}


# ── every other path ────────────────────────────────────────────────────────────────────────


async def served(connection):
    """Wait for an answer of aiohttp; return it."""
    await until(lambda: connection.wire.written)
    return connection.answer()


async def test_other_paths_are_served_by_aiohttp(connection):
    connection.ask("/elsewhere?a=b")

    assert (await served(connection)).body == b"GET /elsewhere"


@pytest.mark.parametrize("path", ["/socket.io", "/socket.io/x", "/socket.ioo/", "//socket.io/"])
async def test_path_must_be_exactly_the_one(connection, path):
    connection.ask(path)

    assert (await served(connection)).body == f"GET {path}".encode()


async def test_both_kinds_of_requests_share_a_connection(connection):
    connection.ask("/a")
    first = await served(connection)
    await until(lambda: not connection.front._is_busy)
    connection.open()
    connection.ask("/b", method="POST", body="hello")
    second = await served(connection)

    assert (first.body, second.body) == (b"GET /a", b"POST /b hello")


async def test_aiohttp_is_woken_for_its_next_request(connection):
    """Between two requests its task sleeps; a queued request alone would not wake it."""
    connection.ask("/a")
    await served(connection)
    await until(lambda: connection.front._waiter is not None)

    connection.ask("/b")

    assert (await served(connection)).body == b"GET /b"


async def test_answer_of_aiohttp_starts_the_idle_time(connection, engine):
    connection.ask("/a")
    await served(connection)

    await until(lambda: connection.front in engine.doors._idle)


async def test_connection_lost_during_aiohttps_request_ends_quietly(connection):
    connection.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")

    connection.front.connection_lost(None)
    await until(lambda: not aiohttp_tasks())

    assert connection.answers() == []


async def test_websocket_on_another_path_stays_with_aiohttp(engine):
    """The application may have WebSockets of its own."""

    async def echo(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("you said " + await socket.receive_str())
        await socket.close()
        return socket

    browser = Browser()
    front = Front(engine, web.Server(echo), asyncio.get_running_loop())
    connection = Connection(front)
    front.connection_made(connection.wire)

    connection.ask("/echo", headers=UPGRADE)
    connection.send(browser.text("hello"))
    await until(lambda: b"you said" in connection.wire.written)

    head, _, frames = connection.wire.take().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert browser.frames(frames)[0] == ("TEXT", b"you said hello")
    front.connection_lost(None)
    await until(lambda: not aiohttp_tasks())
