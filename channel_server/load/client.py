"""One client of a load test: connects as a browser does that has WebSocket, and counts what it gets."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final

import aiohttp
import orjson

if TYPE_CHECKING:
    from channel_server.load.tally import Tally

OWN: Final = "load-test"
"""Name of the collection that messages of a load test have."""

_MARK: Final = f'"{OWN}"'
_CONNECT_S: Final = 30.0
_EVENT: Final = "42"


class Closed(Exception):
    """The server has hung up."""


class Client:
    """Connects once and stays.

    Args:
        url: ``ws://`` or ``wss://``, with the query.
        tally: Counts for all clients.
    """

    __slots__ = ("_seen", "_socket", "_tally", "_url", "is_online")

    def __init__(self, url: str, tally: Tally) -> None:
        self._url = url
        self._tally = tally
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._seen: set[int] = set()
        self.is_online = False

    async def run(self, session: aiohttp.ClientSession) -> None:
        """Connect, and listen until cancelled or hung up; never raises for a reason of either."""
        tally = self._tally
        try:
            await self._connect(session)
        except (aiohttp.ClientError, TimeoutError, OSError, Closed) as error:
            tally.failed[_reason(error)] += 1
            return
        tally.connected += 1
        tally.online += 1
        self.is_online = True
        try:
            while True:
                await self._take(await self._next())
        except (aiohttp.ClientError, OSError, Closed) as error:
            tally.dropped[_reason(error)] += 1
        finally:
            tally.online -= 1
            self.is_online = False
            if self._socket is not None:
                await self._socket.close()

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        began_s = perf_counter()
        async with asyncio.timeout(_CONNECT_S):
            self._socket = await session.ws_connect(self._url, max_msg_size=0)
            if not (await self._next()).startswith("0{"):
                raise Closed("no Engine.IO there")
            await self._socket.send_str("40")
            while not (packet := await self._next()).startswith("40"):
                if packet.startswith("44"):
                    raise Closed("the server refuses to connect us")
                await self._take(packet)
        self._tally.connect_s.append(perf_counter() - began_s)

    async def _next(self) -> str:
        assert self._socket is not None
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return str(message.data)
        if message.type is aiohttp.WSMsgType.BINARY:
            return ""
        raise Closed(f"closed by the server ({self._socket.close_code})")

    async def _take(self, packet: str) -> None:
        if packet == "2":
            assert self._socket is not None
            await self._socket.send_str("3")
        elif packet.startswith(_EVENT):
            self._tally.events += 1
            self._tally.received_bytes += len(packet)
            if _MARK in packet:
                self._take_own(packet)

    def _take_own(self, packet: str) -> None:
        tally = self._tally
        message = orjson.loads(packet[len(_EVENT) :])[1]["records"][OWN][0]
        if message["id"] in self._seen:
            tally.again += 1
            return
        self._seen.add(message["id"])
        tally.received += 1
        tally.latency_s.append(perf_counter() - message["at"])


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return f"status {error.status}"
    if isinstance(error, Closed):
        return str(error)
    return type(error).__name__
