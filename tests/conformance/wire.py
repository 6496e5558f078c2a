"""A client that says exactly what it is told: HTTP/1.1 and websocket bytes over plain TCP.

Written without aiohttp and without websockets, because the server is built on both and a mistake
that the two sides share would not be seen. Every wait has a deadline, so tests need none.

Sources: the Engine.IO protocol, revision 4, for sessions and packets; RFC 9112 for requests and
answers; RFC 6455, 5.2, for frames.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

DEADLINE_MS: Final = 3_000  # for what must happen, on a machine that is busy
PROMPT_MS: Final = 600  # for a close that must not be mistaken for a time-out
PING_INTERVAL_MS: Final = 300
PING_TIMEOUT_MS: Final = 600
LIFE_MS: Final = PING_INTERVAL_MS + PING_TIMEOUT_MS  # of a session whose client says nothing
CONNECT_TIMEOUT_MS: Final = 1_000
LATE_MS: Final = 150  # what a busy machine may add to a timer
MAX_PAYLOAD: Final = 1_000_000  # bytes of one POST body or of one websocket message
SEPARATOR: Final = "\x1e"  # between the packets of one polling body

CONTINUATION: Final = 0x80  # opcodes together with the FIN bit
TEXT: Final = 0x81
BINARY: Final = 0x82
CLOSE: Final = 0x88
PING: Final = 0x89
PONG: Final = 0x8A
FIN: Final = 0x80

_MASKED: Final = 0x80
_MASK_KEY: Final = b"\x37\xfa\x21\x3d"
_LEN_16: Final = 126
_LEN_64: Final = 127
_NO_BODY: Final = {101, 204, 304}
UPGRADE_HEADERS: Final = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",  # the key of RFC 6455, 1.3
}
UPGRADE_ACCEPT: Final = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # the answer to it, from the same place


class Closed(Exception):
    """The server has ended the connection.

    Attributes:
        code: Status of its close frame, 1005 for an empty one, None if the connection ended
            without a close frame.
    """

    def __init__(self, code: int | None = None) -> None:
        super().__init__(code)
        self.code = code


class Response(NamedTuple):
    """One HTTP answer. Header names are in lower case, the body is no longer chunked."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> object:
        return json.loads(self.body)

    @property
    def packets(self) -> list[str]:
        """The Engine.IO packets of a polling body."""
        return self.text.split(SEPARATOR)


class Frame(NamedTuple):
    """One websocket frame: FIN bit and opcode in one number, and the payload."""

    head: int
    payload: bytes


def request(
    method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """The bytes of one HTTP/1.1 request; Content-Length is set if there is a body."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


def frame(head: int, payload: bytes = b"", *, masked: bool = True) -> bytes:
    """The bytes of one client frame. ``head`` is the first byte, reserved bits and all."""
    size = len(payload)
    mask = _MASKED if masked else 0
    if size < _LEN_16:
        length = bytes([mask | size])
    elif size < 1 << 16:
        length = bytes([mask | _LEN_16]) + size.to_bytes(2, "big")
    else:
        length = bytes([mask | _LEN_64]) + size.to_bytes(8, "big")
    if not masked:
        return bytes([head]) + length + payload
    key = (_MASK_KEY * (size // 4 + 1))[:size]
    # Both as one number: 1 MB takes a millisecond, byte by byte it takes a ping time-out.
    hidden = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return bytes([head]) + length + _MASK_KEY + hidden.to_bytes(size, "big")


class Link:
    """One TCP connection to the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Write bytes. If the server has hung up this is silent; the next read tells."""
        self._writer.write(data)
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(DEADLINE_MS / 1000):
                await self._writer.drain()

    async def exactly(self, size: int, within_ms: float = DEADLINE_MS) -> bytes:
        """Read so many bytes, or raise ``Closed``."""
        async with asyncio.timeout(within_ms / 1000):
            try:
                return await self._reader.readexactly(size)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Closed from error

    async def line(self) -> str:
        async with asyncio.timeout(DEADLINE_MS / 1000):
            try:
                data = await self._reader.readuntil(b"\r\n")
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise Closed from error
        return data[:-2].decode("latin-1")

    async def response(self) -> Response:
        """Read one HTTP answer, or raise ``Closed``."""
        status = int((await self.line()).split(" ")[1])
        headers = {}
        while line := await self.line():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Response(status, headers, await self._body(status, headers))

    async def verdict(self) -> int | None:
        """Status of the answer, None if the server hung up without one."""
        try:
            return (await self.response()).status
        except Closed:
            return None

    async def ended(self, within_ms: float = DEADLINE_MS) -> None:
        """Wait until the server has closed the connection; what it still sends is dropped."""
        async with asyncio.timeout(within_ms / 1000):
            with contextlib.suppress(ConnectionError):
                while await self._reader.read(1 << 16):
                    pass

    def cut(self) -> None:
        """End the connection without a good-bye."""
        self._writer.transport.abort()

    async def close(self) -> None:
        self.cut()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _body(self, status: int, headers: Mapping[str, str]) -> bytes:
        if status in _NO_BODY:
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return await self._chunks()
        return await self.exactly(int(headers.get("content-length", "0")))

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.line(), 16):
            body += await self.exactly(size)
            await self.line()
        await self.line()
        return body


class WebSocket:
    """A websocket whose frames the test chooses. Reads accept only frames a server may send."""

    def __init__(self, link: Link) -> None:
        self.link = link

    async def send(self, *packets: str | bytes) -> None:
        """Send packets, each in a frame of its own, all in one write."""
        frames = [
            frame(TEXT, packet.encode()) if isinstance(packet, str) else frame(BINARY, packet)
            for packet in packets
        ]
        await self.link.send(b"".join(frames))

    async def frame(self, within_ms: float = DEADLINE_MS) -> Frame:
        """Read one frame. The server sends whole messages: no fragment, no extension, no mask."""
        head, length = await self.link.exactly(2, within_ms)
        assert head in {TEXT, BINARY, CLOSE, PING, PONG}
        assert not length & _MASKED
        if length == _LEN_16:
            length = int.from_bytes(await self.link.exactly(2), "big")
        elif length == _LEN_64:
            length = int.from_bytes(await self.link.exactly(8), "big")
        return Frame(head, await self.link.exactly(length))

    async def packet(self, within_ms: float = DEADLINE_MS) -> str | bytes:
        """Read one Engine.IO packet, or raise ``Closed``."""
        head, payload = await self.frame(within_ms)
        if head == CLOSE:
            raise Closed(int.from_bytes(payload[:2], "big") if payload else 1005)
        assert head in {TEXT, BINARY}
        return payload.decode() if head == TEXT else payload

    async def message(self) -> str | bytes:
        """Read one packet that is no heartbeat. Pings that come before it are answered."""
        async with asyncio.timeout(DEADLINE_MS / 1000):
            while (packet := await self.packet()) == "2":
                await self.send("3")
        return packet

    async def messages(self, count: int) -> list[str | bytes]:
        return [await self.message() for _ in range(count)]

    async def closed(self, within_ms: float = PROMPT_MS, *, pong: bool = True) -> int | None:
        """Wait until the server has closed, also the TCP connection.

        Returns:
            The code of its close frame, see ``Closed``.
        """
        async with asyncio.timeout(within_ms / 1000):
            try:
                while True:
                    if await self.packet() == "2" and pong:
                        await self.send("3")
            except Closed as closed:
                if closed.code is not None:
                    await self.link.send(frame(CLOSE, b"\x03\xe8"))
                    await self.link.ended()
                return closed.code


class Session:
    """A polling session."""

    def __init__(self, client: Client, sid: str) -> None:
        self._client = client
        self._read: list[str] = []
        self.sid = sid
        self.query = f"EIO=4&transport=polling&sid={sid}"

    async def post(self, body: str | bytes) -> Response:
        data = body.encode() if isinstance(body, str) else body
        return await self._client.ask("POST", self.query, data)

    async def poll(self) -> Response:
        return await self._client.ask("GET", self.query)

    async def begin_poll(self) -> Link:
        """Send a poll and return once the server has seen it; the answer is still to be read."""
        link = await self._client.link()
        await link.send(self._client.get(self.query))
        await self._client.settle()
        return link

    async def packet(self) -> str:
        """The next packet, polled for if none is left of the last answer."""
        while not self._read:
            response = await self.poll()
            assert response.status == 200
            self._read = response.packets
        return self._read.pop(0)

    async def messages(self, count: int) -> list[str]:
        """So many packets that are no heartbeat and no noop. Pings are answered."""
        found: list[str] = []
        async with asyncio.timeout(DEADLINE_MS / 1000):
            while len(found) < count:
                packet = await self.packet()
                if packet == "2":
                    await self.post("3")
                elif packet != "6":
                    found.append(packet)
        return found

    async def echoes(self) -> bool:
        """Whether the session lives: what is sent comes back."""
        return (await self.post("4alive?")).status == 200 and await self.messages(1) == ["4alive?"]

    async def closed(self, within_ms: float = PROMPT_MS) -> list[str]:
        """Poll until the session is gone. Returns the packets that still came."""
        found: list[str] = []
        async with asyncio.timeout(within_ms / 1000):
            while (response := await self.poll()).status == 200:
                found += response.packets
                if "2" in response.packets:
                    await self.post("3")
        assert response.status == 400
        return found

    async def gone(self) -> bool:
        """Wait until the server has forgotten the session, soon."""
        async with asyncio.timeout(PING_INTERVAL_MS / 1000):
            while (await self.post("6")).status != 400:
                pass
        return (await self.poll()).status == 400


class Client:
    """Opens connections to one server and closes them all at the end of the test.

    Args:
        port: On localhost.
        path: Of the Engine.IO end point, with both slashes.
    """

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._links: list[Link] = []
        self.path = path

    async def link(self) -> Link:
        async with asyncio.timeout(DEADLINE_MS / 1000):
            link = Link(*await asyncio.open_connection("127.0.0.1", self._port))
        self._links.append(link)
        return link

    def get(self, query: str, headers: Mapping[str, str] | None = None) -> bytes:
        """The bytes of a GET request to the end point."""
        return request("GET", f"{self.path}?{query}", headers=headers)

    async def ask(
        self,
        method: str,
        query: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """One request on a connection of its own."""
        link = await self.link()
        await link.send(request(method, f"{self.path}?{query}", body, headers))
        response = await link.response()
        await link.close()
        return response

    async def settle(self) -> None:
        """Return when the server has read what other connections sent before this call.

        A whole exchange on a new connection takes the server at least as many turns of its loop
        as reading one request that was there before.
        """
        await self.ask("GET", "transport=none")

    async def session(self) -> Session:
        """Open a polling session."""
        response = await self.ask("GET", "EIO=4&transport=polling")
        return Session(self, json.loads(response.text[1:])["sid"])

    async def upgrade(
        self, query: str, headers: Mapping[str, str] | None = None
    ) -> tuple[Response, Link]:
        """Ask for a websocket and return the answer, whatever it is."""
        link = await self.link()
        await link.send(self.get(query, UPGRADE_HEADERS | dict(headers or {})))
        return await link.response(), link

    async def websocket(self, sid: str | None = None) -> WebSocket:
        """Open a websocket; with a session ID, one that may take the session over."""
        query = "EIO=4&transport=websocket" + (f"&sid={sid}" if sid else "")
        response, link = await self.upgrade(query)
        assert response.status == 101
        return WebSocket(link)

    async def opened(self) -> WebSocket:
        """Open a websocket session and read its open packet."""
        websocket = await self.websocket()
        assert str(await websocket.packet()).startswith("0")
        return websocket

    async def probe(self, session: Session) -> WebSocket:
        """Open a websocket for a polling session, up to the answered probe."""
        websocket = await self.websocket(session.sid)
        await websocket.send("2probe")
        assert await websocket.packet() == "3probe"
        return websocket

    async def upgraded(self) -> tuple[Session, WebSocket]:
        """Open a polling session and move it to a websocket."""
        session = await self.session()
        websocket = await self.probe(session)
        await websocket.send("5")
        return session, websocket

    async def close(self) -> None:
        for link in self._links:
            await link.close()
