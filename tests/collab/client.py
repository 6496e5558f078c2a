"""A client that says what it likes, byte by byte."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from websockets.asyncio.client import connect

from channel_server.collab.lib0 import Reader, buffer, string, uint
from channel_server.collab.messages import EMPTY_STATE, Kind, Sync, sync

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

GOOD: Final = "1,good"


def token(name: str, secret: str = GOOD) -> bytes:
    """The message with which a client begins."""
    return string(name) + b"\x02\x00" + string(secret)


def step_1(name: str) -> bytes:
    return string(name) + sync(Sync.STEP_1, EMPTY_STATE)


def update(name: str, payload: bytes) -> bytes:
    return string(name) + sync(Sync.UPDATE, payload)


def text(content: str | bytes, *, client: int = 5, clock: int = 0) -> bytes:
    """An update that puts a text into the document."""
    content = content.encode() if isinstance(content, str) else content
    return b"\x01\x01" + uint(client) + uint(clock) + b"\x04\x01\x01t" + buffer(content) + b"\0"


@contextlib.asynccontextmanager
async def connected(url: str, **options: object) -> AsyncIterator[ClientConnection]:
    """A connection without compression, and without a limit on what it receives."""
    async with connect(url, compression=None, max_size=None, **options) as connection:
        yield connection


async def heard(connection: ClientConnection, kind: Kind, name: str | None = None) -> Reader:
    """Wait for a message of a kind. Return what stands behind the kind."""
    while True:
        reader = Reader(await connection.recv())
        address = reader.string()
        if reader.uint() == kind and name in {None, address}:
            return reader


async def join(connection: ClientConnection, name: str, secret: str = GOOD) -> None:
    """Open a document, and wait until it is there."""
    await connection.send(token(name, secret))
    await connection.send(step_1(name))
    while (await heard(connection, Kind.SYNC, name)).uint() != Sync.STEP_2:
        pass
