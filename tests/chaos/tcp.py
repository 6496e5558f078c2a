"""A TCP connection that can end as networks end them: by a reset, or without anybody being told."""

import asyncio
import socket
import struct
from typing import Final, Self

_RESET: Final = struct.pack("ii", 1, 0)


class Lost(Exception):
    """There is no connection: it ended, or it was refused. The message says how."""


class Tcp:
    """One connection. Use ``Tcp.open``; every method that waits raises Lost when it is over."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer  # closes its transport when it is collected
        self._transport = writer.transport

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a port of 127.0.0.1."""
        try:
            return cls(*await asyncio.open_connection("127.0.0.1", port))
        except OSError as error:
            raise Lost("refused") from error

    def write(self, data: bytes) -> None:
        """Send what always fits in the buffers of an open connection: a few hundred bytes."""
        self._transport.write(data)

    async def read(self, size: int) -> bytes:
        """Wait for exactly this many bytes."""
        try:
            return await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Lost("closed") from error

    async def read_all(self) -> bytes:
        """Wait for the end of the stream, and return all before it."""
        try:
            return await self._reader.read()
        except OSError as error:
            raise Lost("closed") from error

    async def read_head(self) -> bytes:
        """Wait for the head of an HTTP response, up to and with its blank line."""
        try:
            return await self._reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Lost("closed") from error

    def reset(self) -> None:
        """End it as a crashed browser does: the server gets a TCP reset."""
        if not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def abandon(self) -> None:
        """Read no more and tell nobody: for the server it stays open until ``reset``.

        Whoever waits here learns that it is over.
        """
        if not self._transport.is_closing():
            self._transport.pause_reading()
        self._reader.feed_eof()
