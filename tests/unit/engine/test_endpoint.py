"""Which session a request belongs to, and what it may do (engine.io, lib/server.ts)."""

from ipaddress import ip_network

import orjson
import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from channel_server.core.packets import text_packet
from channel_server.engine.http import Refusal
from channel_server.engine.options import Cors, Options
from channel_server.engine.request import Request
from channel_server.engine.server import Engine
from tests.unit.engine.doubles import Line

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"
ORIGIN = "https://loomio.example.org"
# RFC 6455, 1.3.
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
ACCEPT = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"


def request(query, method="GET", *, headers=None, is_upgrade=False, body=b""):
    return Request(method, query, CIMultiDictProxy(CIMultiDict(headers or {})), is_upgrade, body)


def serve(engine, asked, line=None):
    """Serve one request on a line of its own. Return the line."""
    line = line or Line()
    engine.endpoint.serve(line, asked)
    return line


def opened(answer):
    """The open packet in an answer."""
    assert answer.status == 200
    assert answer.body[:1] == b"0"
    return orjson.loads(answer.body[1:])


def assert_refused(line, refusal):
    assert (line.answer.status, line.answer.body) == (refusal.status, refusal.body)
    assert line.answer.headers["Content-Type"] == "application/json"


# ── opening ─────────────────────────────────────────────────────────────────────────────────


def test_polling_session_opens_with_the_limits(engine):
    line = serve(engine, request(POLLING))

    packet = opened(line.answer)
    assert packet == {
        "sid": packet["sid"],
        "upgrades": ["websocket"],
        "pingInterval": 25_000,
        "pingTimeout": 20_000,
        "maxPayload": 1_000_000,
    }
    assert engine.sessions[packet["sid"]].transport == "polling"


def test_every_session_gets_an_id_of_its_own_that_cannot_be_guessed(engine):
    sids = {opened(serve(engine, request(POLLING)).answer)["sid"] for _ in range(100)}

    assert len(sids) == 100
    assert all(len(sid) == 20 for sid in sids)


def test_session_remembers_the_query_it_came_with(engine):
    serve(engine, request("channel_token=abc&" + POLLING))

    (session,) = engine.sessions.values()
    assert session.query == "channel_token=abc&" + POLLING


def test_websocket_session_opens_on_a_detached_connection(engine):
    line = serve(engine, request(WEBSOCKET, headers=UPGRADE, is_upgrade=True))

    ((socket, head),) = line.detached
    (session,) = engine.sessions.values()
    http, _, frame = head.partition(b"\r\n\r\n")
    assert session.socket is socket
    assert http.startswith(b"HTTP/1.1 101 ")
    assert ACCEPT in http + b"\r\n"
    assert frame[:1] == b"\x81"
    assert orjson.loads(frame[frame.index(b"{") :]) == {
        "sid": session.sid,
        "upgrades": [],
        "pingInterval": 25_000,
        "pingTimeout": 20_000,
        "maxPayload": 1_000_000,
    }


# ── what is refused ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (request("EIO=4"), Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport="), Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=abc"), Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=webtransport"), Refusal.TRANSPORT_UNKNOWN),
        (request("EIO=4&transport=Polling"), Refusal.TRANSPORT_UNKNOWN),
        (request("transport=polling"), Refusal.UNSUPPORTED_PROTOCOL),
        (request("EIO=3&transport=polling"), Refusal.UNSUPPORTED_PROTOCOL),
        (request("EIO=abc&transport=polling"), Refusal.UNSUPPORTED_PROTOCOL),
        (request("EIO=&transport=polling"), Refusal.UNSUPPORTED_PROTOCOL),
        (request(POLLING, "POST"), Refusal.BAD_HANDSHAKE_METHOD),
        (request(POLLING, "PUT"), Refusal.BAD_HANDSHAKE_METHOD),
        (request(POLLING + "&sid=unknown"), Refusal.SESSION_UNKNOWN),
        (request(POLLING + "&sid="), Refusal.SESSION_UNKNOWN),
        (request(POLLING + "&sid=unknown", "POST", body=b"4a"), Refusal.SESSION_UNKNOWN),
        (request(WEBSOCKET), Refusal.BAD_REQUEST),
        (request(POLLING, headers=UPGRADE, is_upgrade=True), Refusal.BAD_REQUEST),
        (
            request(WEBSOCKET + "&sid=unknown", headers=UPGRADE, is_upgrade=True),
            Refusal.SESSION_UNKNOWN,
        ),
    ],
)
def test_bad_request_is_refused_as_engine_io_refuses_it(engine, asked, refusal):
    line = serve(engine, asked)

    assert_refused(line, refusal)
    assert engine.sessions == {}


@pytest.mark.parametrize(
    "change",
    [
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "c2hvcnQ="},
        {"Sec-WebSocket-Key": "not base64!"},
        {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ\u00e9=="},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Version": ""},
        {"Upgrade": "h2c"},
        {"Upgrade": ""},
    ],
    ids=str,
)
def test_bad_websocket_handshake_opens_nothing(engine, change):
    """RFC 6455, 4.2.1."""
    asked = request(WEBSOCKET, headers=UPGRADE | change, is_upgrade=True)

    line = serve(engine, asked)

    assert_refused(line, Refusal.BAD_REQUEST)
    assert line.detached == []
    assert engine.sessions == {}


def test_upgrade_header_is_read_without_regard_to_case(engine):
    asked = request(WEBSOCKET, headers=UPGRADE | {"Upgrade": "WebSocket"}, is_upgrade=True)

    assert len(serve(engine, asked).detached) == 1


@pytest.mark.parametrize("method", ["DELETE", "PUT", "HEAD"])
def test_known_session_takes_get_and_post_only(engine, open_polling, method):
    session = open_polling()

    line = serve(engine, request(POLLING + "&sid=s1", method))

    assert_refused(line, Refusal.BAD_REQUEST)
    assert session.is_open


def test_session_on_a_websocket_cannot_be_polled(engine):
    serve(engine, request(WEBSOCKET, headers=UPGRADE, is_upgrade=True))
    (sid,) = engine.sessions

    line = serve(engine, request(f"{POLLING}&sid={sid}"))

    assert_refused(line, Refusal.BAD_REQUEST)


def test_overdue_session_is_unknown_before_the_clock_has_noticed():
    """After a pause of the process a late client must not find its session half dead."""
    engine = Engine(options=Options(ping_interval_s=0.0, ping_timeout_s=0.0))
    sid = opened(serve(engine, request(POLLING)).answer)["sid"]

    line = serve(engine, request(f"{POLLING}&sid={sid}"))

    assert_refused(line, Refusal.SESSION_UNKNOWN)
    assert engine.hang_ups == {"ping timeout": 1}


def test_nothing_is_served_before_the_subscription_stands(engine):
    """A client that joins too early would miss what is published meanwhile."""
    engine.is_ready = False

    line = serve(engine, request(POLLING))

    assert line.answer.status == 503
    assert engine.sessions == {}


# ── origin ──────────────────────────────────────────────────────────────────────────────────


def test_preflight_is_answered_even_while_not_ready(engine):
    engine.is_ready = False
    asked = request("", "OPTIONS", headers={"Access-Control-Request-Headers": "x-thing"})

    line = serve(engine, asked)

    assert line.answer.status == 204
    assert line.answer.headers["Access-Control-Allow-Headers"] == "x-thing"


def test_other_origins_are_served_unless_told_otherwise():
    """As the Node program does; the browser itself keeps the page from reading."""
    engine = Engine(options=Options(cors=Cors(origin=ORIGIN)))

    line = serve(engine, request(POLLING, headers={"Origin": "https://evil.example"}))

    assert line.answer.status == 200
    assert line.answer.headers["Access-Control-Allow-Origin"] == ORIGIN


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": ORIGIN}, 200),
        ({}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": ORIGIN + ".evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_strict_server_refuses_other_origins(headers, status):
    """What sends no origin is no browser, and could send any."""
    engine = Engine(options=Options(cors=Cors(origin=ORIGIN, strict=True)))

    assert serve(engine, request(POLLING, headers=headers)).answer.status == status


# ── addresses ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def crowded():
    """An engine behind a proxy, with room for one session for each address."""
    proxies = (ip_network("10.0.0.0/8"),)
    return Engine(options=Options(trusted_proxies=proxies, max_per_address=1))


def ask(engine, query=POLLING, **more):
    headers = more.pop("headers", {}) | {"X-Forwarded-For": "198.51.100.7"}
    return serve(engine, request(query, headers=headers, **more), Line(peer="10.0.0.1"))


def test_address_with_too_many_sessions_is_told_so(crowded):
    assert ask(crowded).answer.status == 200

    assert ask(crowded).answer.status == 429
    socket = ask(crowded, WEBSOCKET, headers=UPGRADE, is_upgrade=True)
    assert socket.answer.status == 429
    assert socket.detached == []
    assert len(crowded.sessions) == 1


def test_address_that_asks_too_often_is_told_so_and_counted():
    """A thousand polls a second are no browser's."""
    proxies = (ip_network("10.0.0.0/8"),)
    engine = Engine(options=Options(trusted_proxies=proxies, max_requests_per_address=2))

    statuses = [ask(engine).answer.status for _ in range(3)]

    assert statuses == [200, 200, 429]
    assert engine.doors.refused == {"too many requests from this address": 1}


def test_closed_session_gives_its_address_room_again(crowded):
    ask(crowded)
    (session,) = crowded.sessions.values()

    session.close("server disconnect")

    assert ask(crowded).answer.status == 200


# ── polling ─────────────────────────────────────────────────────────────────────────────────


def test_poll_waits_until_there_is_something_to_say(engine, open_polling):
    session = open_polling()

    line = serve(engine, request(POLLING + "&sid=s1"))
    assert line.replies == []
    session.write(text_packet(b"4a"))

    assert line.answer.body == b"4a"


def test_second_poll_closes_the_session_and_answers_both(engine, open_polling):
    """The protocol allows one; which of two would get the next packet?"""
    session = open_polling()
    first = serve(engine, request(POLLING + "&sid=s1"))

    second = serve(engine, request(POLLING + "&sid=s1"))

    assert not session.is_open
    assert first.answer.body == b"1"
    assert_refused(second, Refusal.BAD_REQUEST)


@pytest.mark.asyncio
async def test_post_hands_every_packet_on_in_order(engine, open_polling, handlers):
    session = open_polling()

    line = serve(engine, request(POLLING + "&sid=s1", "POST", body=b"4a\x1e4b\x1ebYw==\x1e1"))
    await handlers.disconnected.wait()

    assert (line.answer.status, line.answer.body) == (200, b"ok")
    assert line.answer.headers["Content-Type"] == "text/html"
    assert handlers.heard == [
        ("s1", "a"),
        ("s1", "b"),
        ("s1", b"c"),
        ("s1", "client disconnect"),
    ]
    assert not session.is_open


@pytest.mark.parametrize("body", [b"", b"abc", b"4a\x1e", b"4\xff", b"2", b"3\x1e2probe"])
def test_malformed_post_closes_the_session(engine, open_polling, body):
    session = open_polling()

    line = serve(engine, request(POLLING + "&sid=s1", "POST", body=body))

    assert_refused(line, Refusal.BAD_REQUEST)
    assert not session.is_open
    assert engine.hang_ups == {"parse error": 1}


# ── a POST whose body is still to come ──────────────────────────────────────────────────────


def test_post_that_begins_is_held_for_its_session(engine, open_polling):
    session, line = open_polling(), Line()

    assert engine.endpoint.begin_post(line, POLLING + "&sid=s1")

    assert session.polling.is_posting
    assert line.holder is session.polling


def test_post_that_began_is_served_when_it_is_complete(engine, open_polling):
    session, line = open_polling(), Line()
    engine.endpoint.begin_post(line, POLLING + "&sid=s1")

    engine.endpoint.end_post(session.polling)
    serve(engine, request(POLLING + "&sid=s1", "POST", body=b"3"), line)

    assert line.answer.body == b"ok"
    assert session.is_open
    assert not session.polling.is_posting


def test_second_post_that_begins_closes_the_session(engine, open_polling):
    session, second = open_polling(), Line()
    engine.endpoint.begin_post(Line(), POLLING + "&sid=s1")

    assert not engine.endpoint.begin_post(second, POLLING + "&sid=s1")

    assert not session.is_open
    assert engine.hang_ups == {"overlapping requests": 1}
    assert second.refusals == [(400, b"application/json", Refusal.BAD_REQUEST.body)]


def test_complete_post_beside_one_that_began_closes_the_session(engine, open_polling):
    session = open_polling()
    engine.endpoint.begin_post(Line(), POLLING + "&sid=s1")

    second = serve(engine, request(POLLING + "&sid=s1", "POST", body=b"3"))

    assert not session.is_open
    assert_refused(second, Refusal.BAD_REQUEST)


@pytest.mark.parametrize("query", ["", POLLING, POLLING + "&sid=unknown"])
def test_post_to_nobody_is_read_to_its_end_before_it_is_refused(engine, query):
    line = Line()

    assert engine.endpoint.begin_post(line, query)
    assert not line.is_held


# ── upgrade ─────────────────────────────────────────────────────────────────────────────────


def upgrade(engine, sid="s1"):
    asked = request(f"{WEBSOCKET}&sid={sid}", headers=UPGRADE, is_upgrade=True)
    return serve(engine, asked)


def test_upgrade_detaches_a_probe_and_says_nothing_yet(engine, open_polling):
    session = open_polling()

    line = upgrade(engine)

    ((_, head),) = line.detached
    assert head.endswith(b"\r\n\r\n")
    assert ACCEPT in head
    assert session.transport == "polling"


def test_second_upgrade_during_a_probe_is_closed_after_the_handshake(engine, open_polling):
    """As in Node: the official suite's WebSocket client takes a 400 for a crash."""
    session = open_polling()
    first = session.probe = object()

    line = upgrade(engine)

    ((socket, head),) = line.detached
    assert head.startswith(b"HTTP/1.1 101 ")
    assert session.probe is first
    assert socket is not first


def test_upgrade_with_a_body_method_is_refused(engine, open_polling):
    open_polling()
    asked = request(WEBSOCKET + "&sid=s1", "POST", headers=UPGRADE, is_upgrade=True)

    assert_refused(serve(engine, asked), Refusal.BAD_REQUEST)
