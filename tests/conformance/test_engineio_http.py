"""Connections rather than sessions: keep-alive, pipelining, CORS, and what is not HTTP.

Source: RFC 9112; CORS answers are what a browser on another host name needs.
"""

import json

import pytest

from tests.conformance.wire import TEXT, UPGRADE_HEADERS, WebSocket, frame, request

pytestmark = pytest.mark.asyncio

ORIGIN = {"Origin": "http://app.example"}
OPEN = "EIO=4&transport=polling"


async def test_one_connection_serves_several_sessions(engine):
    """A proxy keeps few connections for many clients."""
    link = await engine.link()
    sids = []
    for _ in range(3):
        await link.send(engine.get(OPEN))
        sids.append(json.loads((await link.response()).text[1:])["sid"])

    for sid in sids:
        await link.send(request("POST", f"{engine.path}?{OPEN}&sid={sid}", f"4{sid}".encode()))
        assert (await link.response()).text == "ok"
    for sid in sids:
        await link.send(engine.get(f"{OPEN}&sid={sid}"))
        assert (await link.response()).text == f"4{sid}"


async def test_pipelined_requests_are_answered_in_order(engine):
    link = await engine.link()

    await link.send(engine.get(OPEN) + engine.get(OPEN) + engine.get("EIO=4&transport=abc"))

    assert [(await link.response()).status for _ in range(3)] == [200, 200, 400]


async def test_poll_pipelined_behind_its_post_gets_the_echo(engine):
    session = await engine.session()
    link = await engine.link()
    target = f"{engine.path}?{session.query}"

    await link.send(request("POST", target, b"4hello") + engine.get(session.query))

    assert (await link.response()).text == "ok"
    assert (await link.response()).text == "4hello"


async def test_refused_post_does_not_shift_the_answers_behind_it(engine):
    """Its unread body must not be taken for the next request."""
    link = await engine.link()
    smuggled = engine.get("EIO=4&transport=polling&smuggled=1")

    await link.send(request("POST", f"{engine.path}?{OPEN}&sid=nobody", smuggled))
    refused = await link.response()
    await link.send(engine.get("EIO=4&transport=abc"))

    assert refused.status == 400
    assert await link.verdict() in {400, None}


async def test_websocket_after_polling_on_the_same_connection(engine):
    link = await engine.link()
    await link.send(engine.get(OPEN))
    await link.response()

    await link.send(engine.get("EIO=4&transport=websocket", UPGRADE_HEADERS))
    assert (await link.response()).status == 101
    websocket = WebSocket(link)
    await link.send(frame(TEXT, b"4hello"))

    assert (await websocket.messages(2))[1] == "4hello"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
async def test_connection_close_is_honoured(engine, version):
    link = await engine.link()
    head = engine.get(OPEN, {"Connection": "close"})

    await link.send(head.replace(b"HTTP/1.1", b"HTTP/" + version.encode()))

    assert (await link.response()).status == 200
    await link.ended()


async def test_http_1_0_without_a_host_is_answered(engine):
    """Health checks of old load balancers look like this."""
    link = await engine.link()

    await link.send(f"GET {engine.path}?{OPEN} HTTP/1.0\r\n\r\n".encode())

    assert (await link.response()).status == 200
    await link.ended()


async def test_expect_continue_is_answered(engine):
    """curl asks first when a body is large."""
    session = await engine.session()
    link = await engine.link()
    await link.send(
        request(
            "POST",
            f"{engine.path}?{session.query}",
            headers={"Expect": "100-continue", "Content-Length": "6"},
        )
    )

    assert (await link.response()).status == 100
    await link.send(b"4hello")

    assert (await link.response()).text == "ok"


async def test_preflight_is_answered_with_cors_headers(either):
    response = await either.ask(
        "OPTIONS",
        OPEN,
        headers=ORIGIN
        | {
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )

    assert response.status == 204
    assert response.body == b""
    assert response.headers["access-control-allow-origin"] in {"*", ORIGIN["Origin"]}
    assert "POST" in response.headers["access-control-allow-methods"]


@pytest.mark.parametrize("query", [OPEN, "EIO=4&transport=abc", f"{OPEN}&sid=nobody"])
async def test_every_answer_has_cors_headers(either, query):
    """Without them on errors a browser reports CORS trouble instead of the real one."""
    response = await either.ask("GET", query, headers=ORIGIN)

    assert response.headers["access-control-allow-origin"] in {"*", ORIGIN["Origin"]}


async def test_websocket_from_another_origin_is_accepted(either):
    """As Node does: CORS is no fence for websockets, the token is."""
    response, _ = await either.upgrade("EIO=4&transport=websocket", ORIGIN)

    assert response.status == 101


async def test_other_paths_are_not_found(either):
    link = await either.link()

    await link.send(request("GET", "/nothing/here?EIO=4&transport=polling"))

    assert (await link.response()).status == 404


@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64), id="TLS"),
        pytest.param(b"HELO example\r\n\r\n", id="SMTP"),
        pytest.param(b"*1\r\n$4\r\nPING\r\n", id="Redis"),
        pytest.param(b"\x00" * 64 + b"\r\n\r\n", id="zeros"),
        pytest.param(b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", id="HTTP of the future"),
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(
            b"POST /engine.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", id="no number"
        ),
        pytest.param(
            b"POST /engine.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", id="negative"
        ),
        pytest.param(
            b"POST /engine.io/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n"
            b"\r\nx",
            id="two lengths",
        ),
        pytest.param(
            b"POST /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
            id="bad chunk",
        ),
    ],
)
async def test_what_is_not_http_is_refused(engine, junk):
    link = await engine.link()

    await link.send(junk)

    assert await link.verdict() in {400, 404, 405, 501, 505, None}


@pytest.mark.parametrize("query", ["%", "%zz", "sid=%00", "EIO=4&EIO=3", "a" * 2_000, "&&&=&="])
async def test_odd_queries_are_refused(engine, query):
    response = await engine.ask("GET", query)

    assert response.status == 400


@pytest.mark.parametrize("sid", ["__proto__", "%00", "..%2f..", "%F0%9F%98%80", "a" * 2_000])
async def test_odd_session_ids_are_unknown(engine, sid):
    response = await engine.ask("GET", f"{OPEN}&sid={sid}")

    assert response.status == 400
    assert response.json == {"code": 1, "message": "Session ID unknown"}


async def test_connections_without_a_request_do_no_harm(engine):
    for _ in range(20):
        await (await engine.link()).close()

    assert await (await engine.session()).echoes()


async def test_answer_to_head_has_no_body(engine):
    """Found in review: a proxy took the body for the head of its next answer."""
    link = await engine.link()

    await link.send(request("HEAD", f"{engine.path}?{OPEN}"))
    await link.send(engine.get("EIO=4&transport=abc"))

    assert (await link.line()).startswith("HTTP/1.1 400")
    while await link.line():
        pass
    assert (await link.response()).json["code"] == 0
