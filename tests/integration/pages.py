"""An open page of a Loomio site, as bytes: what it sends to the server, and what it gets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tests.conformance.wire import DEADLINE_MS, SEPARATOR, Client, Closed, Session, WebSocket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TRANSPORTS: Final = ("polling", "websocket")
WAITS_MS: Final = 20_000  # for what comes only after a fault has been noticed and mended
_OFFSET: Final = re.compile(r',"[\w-]+:\d+-\d+"\]$')
_PING: Final = "2"
_PONG: Final = "3"
_NOOP: Final = "6"
_BAD_REQUEST: Final = 400


class Poller:
    """A polling session that is used like a websocket, and polls as long as it has to."""

    def __init__(self, client: Client, sid: str) -> None:
        self._client = client
        self._session = Session(client, sid)
        self._read: list[str] = []

    async def send(self, *packets: str) -> None:
        """Send packets in one POST; a session that is gone ignores them."""
        answer = await self._session.post(SEPARATOR.join(packets))
        assert answer.status in {200, _BAD_REQUEST}

    async def packet(self, within_ms: float = DEADLINE_MS) -> str:
        """Read one Engine.IO packet, or raise ``Closed``."""
        if not self._read:
            link = await self._client.link()
            await link.send(self._client.get(self._session.query))
            # The first byte comes when there is something to say, the rest at once. It is not
            # missed: of the first line only the status is read.
            await link.exactly(1, within_ms)
            answer = await link.response()
            await link.close()
            if answer.status == _BAD_REQUEST:
                raise Closed
            self._read = answer.packets
        return self._read.pop(0)


class Page:
    """One Socket.IO client on one transport.

    Args:
        talk: An open Engine.IO session.
    """

    def __init__(self, talk: Poller | WebSocket) -> None:
        self.talk = talk

    async def ask(self) -> None:
        """Send CONNECT."""
        await self.talk.send("40")

    async def connected(self, within_ms: float = DEADLINE_MS) -> None:
        """Wait for the CONNECT reply; the offset after an earlier one is passed over."""
        reply = await self._event(within_ms)
        assert reply.startswith("40{"), reply
        assert json.loads(reply[2:])["sid"]

    async def got(self, count: int = 1, within_ms: float = DEADLINE_MS) -> list[bytes]:
        """The next events, as the bytes of their packets without the offset at their end.

        Heartbeats are answered; events that only tell the offset are passed over.
        """
        return [(await self._event(within_ms)).encode() for _ in range(count)]

    async def closed(self, within_ms: float = WAITS_MS) -> list[str]:
        """Wait until the server has hung up. Return what it still sent, heartbeats left out."""
        packets = []
        with contextlib.suppress(Closed):
            async with asyncio.timeout(within_ms / 1000):
                while True:
                    packets.append(await self._event(within_ms))
        return packets

    async def leave(self) -> None:
        """Go as a page that is closed goes."""
        if isinstance(self.talk, WebSocket):
            await self.talk.link.close()
        else:
            await self.talk.send("1")

    async def _event(self, within_ms: float) -> str:
        while (packet := await self._packet(within_ms)).startswith('42["offset",'):
            pass
        return _OFFSET.sub("]", packet)

    async def _packet(self, within_ms: float) -> str:
        async with asyncio.timeout(within_ms / 1000):
            while (packet := await self.talk.packet(within_ms)) in {_PING, _NOOP}:
                if packet == _PING:
                    await self.talk.send(_PONG)
        return str(packet)


class Pages:
    """Opens pages of one server.

    Args:
        client: Closes their connections at the end.
    """

    def __init__(self, client: Client) -> None:
        self.client = client

    async def open(self, token: str | None, transport: str = "websocket") -> Page:
        """Open an Engine.IO session; CONNECT is still to be sent.

        Args:
            token: Channel token; None is what Loomio sends for a visitor.
            transport: One of ``TRANSPORTS``.
        """
        return await self.open_raw(f"&channel_token={quote(token or 'null')}", transport)

    async def open_raw(self, query: str, transport: str = "websocket") -> Page:
        """Open an Engine.IO session with this at the end of its query string."""
        query = f"EIO=4&transport={transport}{query}"
        if transport == "polling":
            answer = await self.client.ask("GET", query)
            assert answer.status == 200, answer
            return Page(Poller(self.client, json.loads(answer.text[1:])["sid"]))
        answer, link = await self.client.upgrade(query)
        assert answer.status == 101, answer
        websocket = WebSocket(link)
        assert str(await websocket.packet()).startswith("0{")
        return Page(websocket)

    async def enter(self, token: str | None, transport: str = "websocket") -> Page:
        """Open a page and wait until it is connected."""
        page = await self.open(token, transport)
        await page.ask()
        await page.connected()
        return page


@contextlib.asynccontextmanager
async def pages_of(port: int) -> AsyncIterator[Pages]:
    """Open pages of the server on a port; all their connections are closed at the end."""
    client = Client(port, "/socket.io/")
    try:
        yield Pages(client)
    finally:
        await client.close()
