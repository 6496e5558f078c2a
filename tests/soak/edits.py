"""Visits to the server of documents, one method for each way in which they end."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from websockets.exceptions import ConnectionClosed

from channel_server.collab.lib0 import string, uint
from channel_server.collab.messages import Auth, Kind, awareness
from tests.chaos import http
from tests.chaos.wire import Unexpected
from tests.collab.client import connected, heard, join, text, token, update

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from random import Random

    from websockets.asyncio.client import ClientConnection

_STAY_S: Final = (1.0, 6.0)
_EDIT_EVERY_S: Final = 0.7
_WORDS: Final = "so it goes "
_SHARED: Final = 20
_SHARED_FOR_S: Final = 15.0
"""Then they are left for others: a document that is open for ever grows, and is to."""

_BAD: Final = "1,bad"
_RESET: Final = struct.pack("ii", 1, 0)


class Edits:
    """Writers, at documents that they share and at some of their own.

    Args:
        port: Of the server.
        random: Decides where, and how long everybody stays.

    Attributes:
        edited: Updates sent.
        heard: Messages received while they stayed.
    """

    def __init__(self, port: int, random: Random) -> None:
        self.edited = self.heard = 0
        self._port = port
        self._random = random
        self._writers = itertools.count(1)

    @property
    def ways(self) -> Sequence[Callable[[], Awaitable[None]]]:
        """All of them."""
        return (
            self.close,
            self.write_alone,
            self.leave_the_document,
            self.reset,
            self.never_say_who,
            self.be_denied,
            self.be_refused,
        )

    async def close(self) -> None:
        async with self._writing(self._shared()):
            pass

    async def write_alone(self) -> None:
        async with self._writing(f"draft-{next(self._writers)}"):
            pass

    async def leave_the_document(self) -> None:
        name = self._shared()
        async with self._writing(name) as connection:
            await connection.send(string(name) + bytes([Kind.CLOSE]))
            await heard(connection, Kind.CLOSE, name)

    async def reset(self) -> None:
        async with self._writing(self._shared()) as connection:
            sock = connection.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            connection.transport.abort()

    async def never_say_who(self) -> None:
        async with self._connected():
            await asyncio.sleep(self._stay_s())

    async def be_denied(self) -> None:
        name = self._shared()
        async with self._connected() as connection:
            await connection.send(token(name, _BAD))
            reader = await heard(connection, Kind.AUTH, name)
            if (answer := reader.uint()) != Auth.DENIED:
                raise Unexpected(f"answer {answer} to a bad token")

    async def be_refused(self) -> None:
        """For nonsense; and a request for no WebSocket gets an ordinary page."""
        response = await http.get(self._port, "/")
        if response is None or response.status != 200:
            raise Unexpected(str(response))
        async with self._connected() as connection:
            await connection.send(b"\xff")
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await connection.recv()

    def _connected(self) -> contextlib.AbstractAsyncContextManager[ClientConnection]:
        return connected(f"ws://127.0.0.1:{self._port}")

    @contextlib.asynccontextmanager
    async def _writing(self, name: str) -> AsyncIterator[ClientConnection]:
        """Come to a document and write; the block says how it ends, else it is a close frame."""
        writer = next(self._writers)
        async with self._connected() as connection:
            await join(connection, name)
            state = uint(writer) + uint(0) + string('{"user":{"name":"Ann"}}')
            await connection.send(string(name) + awareness(uint(1) + state))
            for edit in range(max(1, int(self._stay_s() / _EDIT_EVERY_S))):
                content = text(_WORDS, client=writer, clock=edit * len(_WORDS))
                await connection.send(update(name, content))
                self.edited += 1
                await self._listen(connection)
            yield connection

    async def _listen(self, connection: ClientConnection) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_EDIT_EVERY_S):
                while True:
                    await connection.recv()
                    self.heard += 1

    def _shared(self) -> str:
        generation = int(time.monotonic() / _SHARED_FOR_S)
        return f"shared-{generation}-{self._random.randrange(_SHARED)}"

    def _stay_s(self) -> float:
        return self._random.uniform(*_STAY_S)
