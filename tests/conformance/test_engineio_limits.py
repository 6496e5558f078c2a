"""What is too large is refused before it is held in memory.

The limit is maxPayload of the open packet, for one POST body and for one websocket message.
"""

import gzip
import os

import pytest

from tests.conformance.wire import (
    BINARY,
    CONTINUATION,
    MAX_PAYLOAD,
    TEXT,
    Closed,
    frame,
    request,
)

pytestmark = pytest.mark.asyncio

TOO_BIG = 1009  # RFC 6455, 7.4.1
MIB = 1 << 20
MEMORY_BYTES = 12 * MIB  # what 48 MiB of refused input may cost at most
NOT_FIN = 0x7F
REFUSED = {400, 411, 413, 415, None}


async def is_alive_or_gone(session):
    """A refused request may end the session or spare it, but nothing in between."""
    response = await session.post("6")
    if response.status == 400:
        return True
    return await session.echoes()


async def test_announced_body_over_the_maximum_is_refused(either):
    session = await either.session()
    link = await either.link()

    await link.send(request("POST", f"{either.path}?{session.query}", b"4" * (MAX_PAYLOAD + 1)))

    assert await link.verdict() in REFUSED


async def test_announced_body_is_refused_before_it_is_sent(engine):
    """Nobody has to upload a terabyte to learn that it is too much."""
    session = await engine.session()
    link = await engine.link()

    await link.send(
        request("POST", f"{engine.path}?{session.query}", headers={"Content-Length": str(10**12)})
        + b"4"
    )

    assert await link.verdict() in REFUSED
    assert await is_alive_or_gone(session)


async def test_chunked_body_over_the_maximum_is_refused(engine, engine_server):
    """It announces no length, so it must be counted while it comes."""
    session = await engine.session()
    before = engine_server.rss_bytes

    link = await endless_body(engine, session.query)

    assert engine_server.rss_bytes - before < MEMORY_BYTES
    await link.send(b"0\r\n\r\n")
    assert await link.verdict() in REFUSED
    assert await is_alive_or_gone(session)


async def test_body_for_an_unknown_session_is_not_kept(engine, engine_server):
    before = engine_server.rss_bytes

    link = await endless_body(engine, "EIO=4&transport=polling&sid=nobody")

    assert engine_server.rss_bytes - before < MEMORY_BYTES
    assert await link.verdict() in REFUSED


async def endless_body(engine, query):
    """48 MiB in chunks, without the last one."""
    link = await engine.link()
    await link.send(
        request("POST", f"{engine.path}?{query}", headers={"Transfer-Encoding": "chunked"})
    )
    chunk = b"%x\r\n%b\r\n" % (MIB, b"4" * MIB)
    for _ in range(48):
        await link.send(chunk)
    return link


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_compressed_body_is_refused(engine, encoding):
    """A few kilobytes could become gigabytes; no client of this protocol compresses."""
    session = await engine.session()
    link = await engine.link()
    body = gzip.compress(b"4hello")

    await link.send(
        request(
            "POST",
            f"{engine.path}?{session.query}",
            body,
            {"Content-Encoding": encoding, "Content-Type": "text/plain"},
        )
    )

    assert await link.verdict() in REFUSED
    assert await is_alive_or_gone(session)


async def test_compressed_body_is_not_unpacked(engine, engine_server):
    session = await engine.session()
    link = await engine.link()
    bomb = gzip.compress(bytes(64 * MIB), 1)
    before = engine_server.rss_bytes

    await link.send(
        request("POST", f"{engine.path}?{session.query}", bomb, {"Content-Encoding": "gzip"})
    )

    assert await link.verdict() in REFUSED
    assert engine_server.rss_bytes - before < MEMORY_BYTES


@pytest.mark.parametrize("head", [TEXT, BINARY])
async def test_message_over_the_maximum_is_closed(either, head):
    websocket = await either.opened()

    await websocket.link.send(frame(head, b"4" * (MAX_PAYLOAD + 1)))

    assert await websocket.closed() == TOO_BIG


@pytest.mark.parametrize("size", [MAX_PAYLOAD + 1, 1 << 40, (1 << 63) - 1])
async def test_announced_message_is_closed_before_it_is_sent(engine, size):
    websocket = await engine.opened()

    await websocket.link.send(b"\x82\xff" + size.to_bytes(8, "big") + b"mask")

    assert await websocket.closed() == TOO_BIG


async def test_impossible_length_is_closed(engine):
    """RFC 6455, 5.2: the most significant bit must be 0."""
    websocket = await engine.opened()

    await websocket.link.send(b"\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffmask")

    assert await websocket.closed() in {1002, TOO_BIG}


async def test_endless_fragments_are_closed(engine, engine_server):
    websocket = await engine.opened()
    before = engine_server.rss_bytes
    part = frame(CONTINUATION & NOT_FIN, b"x" * 65_536)

    await websocket.link.send(frame(TEXT & NOT_FIN, b"4"))
    for _ in range(48 * 16):
        await websocket.link.send(part)

    assert engine_server.rss_bytes - before < MEMORY_BYTES
    assert await websocket.closed() in {TOO_BIG, None}


async def test_fragments_just_over_the_maximum_are_closed(engine):
    websocket = await engine.opened()

    await websocket.link.send(
        frame(TEXT & NOT_FIN, b"4" * MAX_PAYLOAD) + frame(CONTINUATION, b"4")
    )

    assert await websocket.closed() == TOO_BIG


async def test_empty_fragments_cost_little(engine, engine_server):
    """They never reach the size limit, so their number must not cost memory for ever."""
    websocket = await engine.opened()
    before = engine_server.rss_bytes
    parts = frame(CONTINUATION & NOT_FIN) * 2_000

    await websocket.link.send(frame(TEXT & NOT_FIN, b"4"))
    for _ in range(25):
        await websocket.link.send(parts)
    await websocket.link.send(frame(CONTINUATION, b"hello"))

    try:
        assert await websocket.message() == "4hello"
    except Closed as closed:
        assert closed.code in {1002, 1008, TOO_BIG, None}  # noqa: PT017 - both are allowed
    assert engine_server.rss_bytes - before < MEMORY_BYTES


async def test_probe_has_the_same_limit(engine):
    session = await engine.session()
    websocket = await engine.websocket(session.sid)

    await websocket.link.send(frame(TEXT, b"2" * (MAX_PAYLOAD + 1)))

    assert await websocket.closed() == TOO_BIG
    assert await session.echoes()


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(b"X: " + b"x" * 100_000 + b"\r\n", id="one long line"),
        pytest.param(b"X: x\r\n" * 40_000, id="many lines"),
        pytest.param(b"X: " + b"x" * 100_000, id="a line without end"),
    ],
)
async def test_large_head_is_refused(engine, head):
    link = await engine.link()

    await link.send(engine.get("EIO=4&transport=polling")[:-2] + head)
    await link.send(b"\r\n")

    answer = await link.response()
    assert answer.status == 431
    assert "128 headers" in answer.text


async def test_a_hundred_headers_are_read(engine):
    """Node takes hundreds; 65 were a bad request."""
    headers = {f"X-{number}": "x" for number in range(100)}

    answer = await engine.ask("GET", "EIO=4&transport=polling", headers=headers)
    assert answer.status == 200


async def test_long_query_is_refused(engine):
    link = await engine.link()

    await link.send(engine.get("EIO=4&transport=polling&t=" + "x" * 100_000))

    assert await link.verdict() == 431


async def test_random_bytes_on_an_open_websocket_close_it(engine):
    websocket = await engine.opened()

    await websocket.link.send(b"\xff" + os.urandom(4_096))

    assert await websocket.closed() in {1002, TOO_BIG, None}


async def test_requests_that_pile_up_behind_a_poll_end_the_connection(engine):
    """Found in review: 14 heads of 2 MB each could wait behind one poll."""
    session = await engine.session()
    link = await session.begin_poll()
    headers = {f"X-{number}": "x" * 8_000 for number in range(60)}

    await link.send(request("GET", f"{engine.path}?{session.query}", headers=headers))

    await link.ended()


async def test_head_that_grows_without_end_is_refused(engine):
    link = await engine.link()
    lines = "".join(f"X-{number}: {'x' * 8_000}\r\n" for number in range(20))

    await link.send(f"GET {engine.path} HTTP/1.1\r\nHost: x\r\n{lines}".encode())

    await link.ended()
