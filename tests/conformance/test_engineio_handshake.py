"""How a session is opened, and the ways in which it is refused.

Source: Engine.IO protocol, "Handshake" and "Request path"; the error bodies are those of the
Node server, which clients know.
"""

import contextlib
import json

import pytest

from tests.conformance.wire import (
    MAX_PAYLOAD,
    TEXT,
    UPGRADE_ACCEPT,
    UPGRADE_HEADERS,
    Closed,
    WebSocket,
    frame,
)

pytestmark = pytest.mark.asyncio

OPEN_KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
UNKNOWN_TRANSPORT = {"code": 0, "message": "Transport unknown"}
UNKNOWN_SID = {"code": 1, "message": "Session ID unknown"}
BAD_METHOD = {"code": 2, "message": "Bad handshake method"}
BAD_REQUEST = {"code": 3, "message": "Bad request"}
UNSUPPORTED_VERSION = {"code": 5, "message": "Unsupported protocol version"}


def check_open_packet(packet, *, upgrades):
    assert packet[0] == "0"
    value = json.loads(packet[1:])
    assert set(value) == OPEN_KEYS
    assert isinstance(value["sid"], str)
    assert value["sid"]
    assert value["upgrades"] == upgrades
    assert value["pingInterval"] == 25_000
    assert value["pingTimeout"] == 20_000
    assert value["maxPayload"] == MAX_PAYLOAD


@pytest.mark.brief_times
async def test_the_open_packet_names_the_heartbeat_of_its_server(either):
    websocket = await either.websocket()

    value = json.loads((await websocket.packet())[1:])

    assert (value["pingInterval"], value["pingTimeout"]) == (300, 600)


async def test_polling_answers_with_an_open_packet(either):
    response = await either.ask("GET", "EIO=4&transport=polling")

    assert response.status == 200
    assert response.headers["content-type"].lower() == "text/plain; charset=utf-8"
    check_open_packet(response.text, upgrades=["websocket"])


async def test_websocket_begins_with_an_open_packet(either):
    websocket = await either.websocket()

    check_open_packet(await websocket.packet(), upgrades=[])


async def test_query_may_hold_more_than_the_protocol_needs(either):
    """Browsers add a cache buster, Loomio its channel token; the order is theirs."""
    response = await either.ask("GET", "channel_token=a%20b&transport=polling&t=Oz9&EIO=4&b64=1")

    check_open_packet(response.text, upgrades=["websocket"])


async def test_sessions_have_ids_of_their_own(either):
    sids = {(await either.session()).sid for _ in range(20)}

    assert len(sids) == 20


@pytest.mark.parametrize("version", ["", "EIO=abc&", "EIO=&", "EIO=3&", "EIO=5&", "EIO=04&"])
async def test_polling_with_another_protocol_version_is_refused(either, version):
    response = await either.ask("GET", f"{version}transport=polling")

    assert response.status == 400
    assert response.json == UNSUPPORTED_VERSION
    assert response.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("transport", ["", "&transport=", "&transport=abc", "&transport=POLLING"])
async def test_unknown_transport_is_refused(either, transport):
    response = await either.ask("GET", f"EIO=4{transport}")

    assert response.status == 400
    assert response.json == UNKNOWN_TRANSPORT


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_only_get_opens_a_session(either, method):
    response = await either.ask(method, "EIO=4&transport=polling", b"")

    assert response.status == 400
    assert response.json == BAD_METHOD


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_unknown_session_is_refused(either, method):
    response = await either.ask(
        method, "EIO=4&transport=polling&sid=nobody", b"4hello" if method == "POST" else None
    )

    assert response.status == 400
    assert response.json == UNKNOWN_SID


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_other_methods_are_refused_and_the_session_lives(engine, method):
    session = await engine.session()

    response = await engine.ask(method, session.query, b"4hello")

    assert response.status == 400
    assert await session.echoes()


async def test_websocket_transport_without_an_upgrade_is_refused(either):
    response = await either.ask("GET", "EIO=4&transport=websocket")

    assert response.status == 400
    assert response.json == BAD_REQUEST


async def test_polling_for_a_websocket_session_is_refused(engine):
    websocket = await engine.websocket()
    sid = json.loads((await websocket.packet())[1:])["sid"]

    response = await engine.ask("GET", f"EIO=4&transport=polling&sid={sid}")

    assert response.status == 400
    assert response.json == BAD_REQUEST
    await websocket.send("4still here")
    assert await websocket.message() == "4still here"


async def test_session_of_another_protocol_version_is_refused(engine):
    session = await engine.session()

    response = await engine.ask("GET", session.query.replace("EIO=4", "EIO=3"))

    assert response.status == 400
    assert await session.echoes()


@pytest.mark.parametrize(
    "query",
    [
        "transport=websocket",
        "EIO=abc&transport=websocket",
        "EIO=3&transport=websocket",
        "EIO=4",
        "EIO=4&transport=abc",
        "EIO=4&transport=websocket&sid=nobody",
    ],
)
async def test_websocket_with_a_wrong_query_is_refused(either, query):
    response, link = await either.upgrade(query)

    assert response.status == 400
    await link.ended()


async def test_websocket_handshake_is_answered_as_the_rfc_demands(either):
    """No extension and no subprotocol is agreed to, so that one frame serves every client."""
    response, _ = await either.upgrade(
        "EIO=4&transport=websocket",
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"},
    )

    assert response.status == 101
    assert response.headers["upgrade"].lower() == "websocket"
    assert response.headers["connection"].lower() == "upgrade"
    assert response.headers["sec-websocket-accept"] == UPGRADE_ACCEPT
    assert "sec-websocket-extensions" not in response.headers
    assert "sec-websocket-protocol" not in response.headers


@pytest.mark.parametrize(
    "header",
    [
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Version": "7"},
        {"Sec-WebSocket-Version": ""},
        {"Upgrade": "h2c"},
        {"Connection": "keep-alive"},
    ],
    ids=lambda header: " ".join(*header.items()),
)
async def test_incomplete_websocket_handshake_is_refused(either, header):
    response, _ = await either.upgrade("EIO=4&transport=websocket", header)

    assert response.status in {400, 405, 426}


async def test_header_names_and_tokens_of_the_handshake_ignore_case(either):
    """Proxies rewrite both; Firefox sends two tokens in Connection."""
    response, _ = await either.upgrade(
        "EIO=4&transport=websocket", {"Connection": "keep-alive, upgrade", "Upgrade": "WebSocket"}
    )

    assert response.status == 101


async def test_frame_sent_along_with_the_handshake_is_answered_or_refused(engine):
    """RFC 6455, 4.1, tells clients to wait for the 101. Those that do not must not hang."""
    link = await engine.link()
    early = frame(TEXT, b"4early")

    await link.send(engine.get("EIO=4&transport=websocket", UPGRADE_HEADERS) + early)

    with contextlib.suppress(Closed):
        assert (await link.response()).status == 101
        assert (await WebSocket(link).messages(2))[1] == "4early"
