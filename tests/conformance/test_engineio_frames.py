"""Websocket frames that are unusual, and frames that are wrong.

Source: RFC 6455; the section is named at each test. Close codes are those of 7.4.1.
"""

import pytest

from tests.conformance.wire import (
    CLOSE,
    CONTINUATION,
    FIN,
    LATE_MS,
    PING,
    PING_TIMEOUT_MS,
    PONG,
    TEXT,
    Frame,
    frame,
)

pytestmark = pytest.mark.asyncio

PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
NOT_FIN = 0x7F  # and-ed with a head: more fragments follow


async def test_fragments_are_joined(engine):
    """5.4: a message may come in any number of frames, empty ones among them."""
    websocket = await engine.opened()

    await websocket.link.send(
        frame(TEXT & NOT_FIN, b"4he")
        + frame(CONTINUATION & NOT_FIN)
        + frame(CONTINUATION & NOT_FIN, b"ll")
        + frame(CONTINUATION, b"o")
    )

    assert await websocket.message() == "4hello"


async def test_fragments_may_split_a_character(engine):
    """5.6: only the whole message must be UTF-8."""
    websocket = await engine.opened()
    text = "4€".encode()

    await websocket.link.send(frame(TEXT & NOT_FIN, text[:2]) + frame(CONTINUATION, text[2:]))

    assert await websocket.message() == "4€"


async def test_frame_may_arrive_byte_by_byte(engine):
    websocket = await engine.opened()

    for byte in frame(TEXT, b"4hello"):
        await websocket.link.send(bytes([byte]))

    assert await websocket.message() == "4hello"


async def test_longer_length_than_needed_is_read_or_refused(engine):
    """5.2 demands the shortest form of senders; receivers may be lenient."""
    websocket = await engine.opened()
    short = frame(TEXT, b"4hello")

    await websocket.link.send(short[:1] + b"\xfe\x00\x06" + short[2:])
    await websocket.link.send(frame(CLOSE, b"\x03\xe8"))

    assert await websocket.closed() in {1000, PROTOCOL_ERROR}


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(125))], ids=len)
async def test_ping_frame_is_answered_by_a_pong_with_the_same_payload(engine, payload):
    """5.5.2 and 5.5.3."""
    websocket = await engine.opened()

    await websocket.link.send(frame(PING, payload))

    assert await websocket.frame() == Frame(PONG, payload)


async def test_ping_frame_between_fragments_is_answered_at_once(engine):
    """5.4: control frames may come in the middle of a message."""
    websocket = await engine.opened()

    await websocket.link.send(frame(TEXT & NOT_FIN, b"4hel") + frame(PING, b"now"))
    assert await websocket.frame() == Frame(PONG, b"now")
    await websocket.link.send(frame(CONTINUATION, b"lo"))

    assert await websocket.message() == "4hello"


async def test_ping_frame_is_answered_during_the_probe(engine):
    session = await engine.session()
    websocket = await engine.websocket(session.sid)

    await websocket.link.send(frame(PING, b"hello"))

    assert await websocket.frame() == Frame(PONG, b"hello")


async def test_pong_frame_nobody_asked_for_is_ignored(engine):
    """5.5.3 allows it as a one-way heartbeat."""
    websocket = await engine.opened()

    await websocket.link.send(frame(PONG, b"hello") + frame(TEXT, b"4hello"))

    assert await websocket.message() == "4hello"


@pytest.mark.brief_times
async def test_pong_frame_does_not_replace_the_pong_packet(engine):
    websocket = await engine.opened()
    assert await websocket.packet() == "2"

    await websocket.link.send(frame(PONG))

    await websocket.closed(PING_TIMEOUT_MS + LATE_MS, pong=False)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(frame(TEXT, b"4hello", masked=False), id="unmasked text, 5.1"),
        pytest.param(frame(PING, b"", masked=False), id="unmasked ping, 5.1"),
        pytest.param(frame(TEXT | 0x40, b"4hello"), id="reserved bit 1, 5.2"),
        pytest.param(frame(TEXT | 0x20, b"4hello"), id="reserved bit 2, 5.2"),
        pytest.param(frame(TEXT | 0x10, b"4hello"), id="reserved bit 3, 5.2"),
        pytest.param(frame(FIN | 0x3, b"4hello"), id="unknown data opcode, 5.2"),
        pytest.param(frame(FIN | 0xB, b""), id="unknown control opcode, 5.2"),
        pytest.param(frame(PING, bytes(126)), id="long control frame, 5.5"),
        pytest.param(frame(PING & NOT_FIN, b""), id="fragmented control frame, 5.5"),
        pytest.param(frame(CONTINUATION, b"4hello"), id="nothing to continue, 5.4"),
        pytest.param(
            frame(TEXT & NOT_FIN, b"4he") + frame(TEXT, b"4hello"), id="message in message, 5.4"
        ),
        pytest.param(frame(CLOSE, b"\x03"), id="close of one byte, 5.5.1"),
        pytest.param(frame(CLOSE, b"\x00\x00"), id="close code 0, 7.4.2"),
        pytest.param(frame(CLOSE, b"\x03\xed"), id="close code 1005, 7.4.1"),
    ],
)
async def test_broken_framing_is_closed_as_a_protocol_error(engine, wrong):
    websocket = await engine.opened()

    await websocket.link.send(wrong)

    assert await websocket.closed() == PROTOCOL_ERROR


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(frame(TEXT, b"4\xff"), id="no lead byte"),
        pytest.param(frame(TEXT, b"4\xe2\x82"), id="cut short"),
        pytest.param(frame(TEXT, b"4\xed\xa0\x80"), id="surrogate"),
        pytest.param(frame(TEXT, b"4\xc0\xaf"), id="overlong"),
        pytest.param(
            frame(TEXT & NOT_FIN, b"4\xe2") + frame(CONTINUATION, b"x"), id="across fragments"
        ),
    ],
)
async def test_text_that_is_no_utf8_is_closed_as_invalid_data(engine, wrong):
    """8.1."""
    websocket = await engine.opened()

    await websocket.link.send(wrong)

    assert await websocket.closed() == INVALID_DATA
