"""Wires to a channel server that make it look as if it lost messages, or lied about it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tests.faults.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable

_READ_BYTES: Final = 65_536
_TEXT_FRAME: Final = b"\x81\x7e"  # of 126 to 65,535 bytes, from a server (RFC 6455, 5.2)
_FRAME_HEAD_BYTES: Final = 4
_OFFSET: Final = re.compile(rb"[\w-]{8}:\d+-\d+")


class Meddler(Link):
    """A wire to a TCP server whose subclasses change what passes.

    Args:
        server_url: Where to.
    """

    def __init__(self, server_url: str) -> None:
        super().__init__(Path())
        self._server_port = urlsplit(server_url).port

    @property
    def url(self) -> str:
        """Where to connect instead."""
        return f"http://127.0.0.1:{self.port}"

    def from_server(self, data: bytes) -> bytes:
        """What the client gets for it."""
        return data

    def from_client(self, data: bytes) -> bytes:
        """What the server gets for it."""
        return data

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass(reader, far_writer, self.from_client))
                group.create_task(_pass(far_reader, writer, self.from_server))
        finally:
            far_writer.transport.abort()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]
) -> None:
    """Pass one direction on to its end, then end the other direction too."""
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_READ_BYTES):
            writer.write(change(data))
            await writer.drain()
    writer.transport.abort()


class Forgetter(Meddler):
    """Swallows one message on its way to one client, who is told nothing."""

    _DUE: Final = 20

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self._seen = 0

    def from_server(self, data: bytes) -> bytes:
        """Leave out the twentieth message that stands first in what has come."""
        if not data.startswith(_TEXT_FRAME) or b'42["records"' not in data[: 4 + 12]:
            return data
        self._seen += 1
        size = int.from_bytes(data[2:_FRAME_HEAD_BYTES], "big")
        return data[_FRAME_HEAD_BYTES + size :] if self._seen == self._DUE else data


class Liar(Meddler):
    """Makes the server say "recovered" and send nothing of what was missed.

    It does so by changing the question: a client that returns shows the offset of the newest
    message that anybody has got.
    """

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self._newest = b""

    def from_server(self, data: bytes) -> bytes:
        """Note the newest offset: of those of one epoch and one length, the greatest."""
        self._newest = max([self._newest, *_OFFSET.findall(data)])
        return data

    def from_client(self, data: bytes) -> bytes:
        """Change the offset in a CONNECT packet."""
        head, offset, rest = data.partition(b'"offset":"')
        if not offset:
            return data
        return head + offset + self._newest + rest[len(self._newest) :]
