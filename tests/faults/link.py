"""A wire to Redis that a test can cut, freeze and listen to.

It accepts on 127.0.0.1 and forwards to a Unix socket, byte for byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
import threading
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine
    from pathlib import Path

_READ_BYTES = 65_536
_WITHIN_S = 5.0
T = TypeVar("T")
_COMMAND = re.compile(rb"\*\d+\r\n\$\d+\r\n(\w+)\r\n")


class Link:
    """A TCP proxy. A context manager: leaving it closes the port and all connections.

    It has a thread and a loop of its own, so that a test may block.

    Args:
        target: Path of the Unix socket of the real server; it need not exist yet.
        tls: End TLS here, as a terminator in front of Redis does; None for plain TCP.
        bytes_per_s: At which pace each connection gives what comes from the server; None for at once.

    Attributes:
        port: Where it listens.
        sent: For each connection accepted so far, also those that found no server behind: what
            has come from the client.
    """

    def __init__(
        self,
        target: Path,
        *,
        tls: ssl.SSLContext | None = None,
        bytes_per_s: float | None = None,
    ) -> None:
        self._target = target
        self._tls = tls
        self._s_per_byte = 0.0 if bytes_per_s is None else 1 / bytes_per_s
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows: list[threading.Event] = []
        self.port = 0
        self.sent: list[bytearray] = []

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link")
        self._thread.start()
        self._server = self._run(
            lambda: asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Break every connection; new ones are accepted."""
        self._run(self._cut)

    def point_at(self, target: Path) -> None:
        """Lead new connections to another socket; those that stand stay where they are."""
        self._target = target

    def reset(self) -> None:
        """Break every connection with RST, as a load balancer does with one that was idle."""
        self._run(self._reset)

    def stall(self, command: bytes = b"") -> None:
        """Swallow whatever the connections of this moment send and get; new ones work.

        Nobody is told: both sides still see an open connection, as behind a firewall that has
        forgotten it.

        Args:
            command: Only connections on which it was sent, such as ``XREAD``.
        """
        for sent, flows in zip(self.sent, self._flows, strict=True):
            if command in sent:
                flows.clear()

    def commands(self) -> set[str]:
        """Names of all Redis commands that were sent, in upper case."""
        return {
            name.decode().upper() for data in self.sent for name in _COMMAND.findall(bytes(data))
        }

    def _run(self, start: Callable[[], Coroutine[object, object, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(start(), self._loop).result(_WITHIN_S)

    async def _cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _reset(self) -> None:
        at_once = struct.pack("ii", 1, 0)
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            writer.transport.abort()

    async def _end(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # by _end; what leaves this function is reported as an error
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent, flows = bytearray(), _open_gate()
        self.sent.append(sent)
        self._flows.append(flows)
        try:
            far_reader, far_writer = await asyncio.open_unix_connection(self._target)
        except OSError:
            return
        both = {writer, far_writer}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._copy(reader, far_writer, flows, sent))
                pace = self._s_per_byte
                group.create_task(self._copy(far_reader, writer, flows, bytearray(), pace))
        finally:
            self._writers -= both
            far_writer.transport.abort()

    @staticmethod
    async def _copy(
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        flows: threading.Event,
        record: bytearray,
        s_per_byte: float = 0.0,
    ) -> None:
        """Copy one direction to its end, then end the other direction too."""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_READ_BYTES):
                record += data
                if flows.is_set():
                    writer.write(data)
                    await writer.drain()
                await asyncio.sleep(len(data) * s_per_byte)
        writer.transport.abort()


def _open_gate() -> threading.Event:
    gate = threading.Event()
    gate.set()
    return gate
