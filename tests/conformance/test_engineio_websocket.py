"""Messages over a websocket, and the packets that end it.

Source: Engine.IO protocol, "WebSocket" and "Packet encoding".
"""

import pytest

from tests.conformance.wire import MAX_PAYLOAD

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("packet", ["4hello", "4", "4é€😀", "4\x1e4x", "4\u0000", "4\ufeffx"])
async def test_text_comes_back_as_text(engine, packet):
    websocket = await engine.opened()

    await websocket.send(packet)

    assert await websocket.message() == packet


@pytest.mark.parametrize("packet", [b"\x01\x02\x03\x04", b"4hello", b"", b"\xff\xfe"])
async def test_bytes_come_back_as_bytes(engine, packet):
    """Also those that look like a text packet, and none at all."""
    websocket = await engine.opened()

    await websocket.send(packet)

    assert await websocket.message() == packet


@pytest.mark.parametrize("size", [125, 126, 127, 65_535, 65_536])
async def test_every_form_of_the_frame_header_is_read_and_written(engine, size):
    """The sizes are the last and the first of each form."""
    websocket = await engine.opened()
    text, binary = "4" + "x" * (size - 1), b"\xff" * size

    await websocket.send(text, binary)

    assert await websocket.messages(2) == [text, binary]


async def test_text_and_binary_keep_their_order(engine):
    websocket = await engine.opened()
    packets = [f"4{n}" if n % 2 else bytes([n]) for n in range(200)]

    await websocket.send(*packets)

    assert await websocket.messages(200) == packets


@pytest.mark.parametrize(
    "packet", ["4" + "x" * (MAX_PAYLOAD - 1), b"x" * MAX_PAYLOAD], ids=["text", "binary"]
)
async def test_message_of_exactly_the_maximum_is_accepted(engine, packet):
    websocket = await engine.opened()

    await websocket.send(packet)

    assert await websocket.message() == packet


async def test_noop_from_the_client_changes_nothing(engine):
    websocket = await engine.opened()

    await websocket.send("6", "4hello")

    assert await websocket.message() == "4hello"


@pytest.mark.parametrize("packet", ["abc", "", "7", "9", "-1", "é"])
async def test_invalid_packet_closes_the_websocket(either, packet):
    websocket = await either.opened()

    await websocket.send(packet)

    await websocket.closed()
