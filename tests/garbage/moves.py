"""What one client does on its way in, and how it ends."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING

from tests.conformance.wire import Closed, Session, WebSocket

if TYPE_CHECKING:
    from tests.conformance.wire import Client, Link


async def entered(client: Client, token: str = "") -> WebSocket:
    """A WebSocket that is connected."""
    answer, link = await client.upgrade(f"EIO=4&transport=websocket&channel_token={token}")
    assert answer.status == 101
    websocket = WebSocket(link)
    assert (await websocket.packet()).startswith("0{")
    await websocket.send("40")
    assert (await websocket.packet()).startswith("40{")
    return websocket


async def entered_by_polling(client: Client, token: str = "") -> Session:
    """A polling session that is connected, and has read what was said to it."""
    answer = await client.ask("GET", f"EIO=4&transport=polling&channel_token={token}")
    session = Session(client, json.loads(answer.text[1:])["sid"])
    await session.post("40")
    assert (await session.packet()).startswith("40{")
    return session


async def upgraded(client: Client) -> WebSocket:
    """A polling session that has moved to a WebSocket."""
    session = await entered_by_polling(client)
    websocket = await client.probe(session)
    await websocket.send("5")
    return websocket


async def until_closed(websocket: WebSocket) -> None:
    """Read to the end, and answer nothing."""
    with contextlib.suppress(Closed):
        while True:
            await websocket.packet()
    await websocket.link.close()


def reset(link: Link) -> None:
    """End a connection as a crash does."""
    tcp = link._writer.get_extra_info("socket")
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    link.cut()


def stop_reading(link: Link) -> None:
    """Leave what comes to the kernel, which is told to take little."""
    link._writer.transport.pause_reading()
    tcp = link._writer.get_extra_info("socket")
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
