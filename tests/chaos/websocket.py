"""Engine.IO over WebSocket, from the start: no polling first."""

from __future__ import annotations

from typing import Final, Self

from tests.chaos.tcp import Lost, Tcp
from tests.chaos.wire import TARGET, Unexpected, session_id

CONNECT: Final = b"\x81\x82\0\0\0\x0040"
"""A frame with a CONNECT packet that asks for no recovery."""

_UPGRADE: Final = (
    f"GET {TARGET} HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_MASKED: Final = 0x80


def upgrade_request(port: int, token: str) -> bytes:
    """The request that opens a WebSocket."""
    return _UPGRADE.format(transport="websocket", token=token, port=port).encode()


class Websocket:
    """A ``Wire``. It masks with zeros: a server unmasks all the same."""

    def __init__(self, tcp: Tcp) -> None:
        self._tcp = tcp

    @classmethod
    async def open(cls, port: int, token: str) -> Self:
        tcp = await Tcp.open(port)
        try:
            await _upgrade(tcp, upgrade_request(port, token))
            wire = cls(tcp)
            session_id(await wire.receive())
        except BaseException:
            tcp.reset()
            raise
        return wire

    async def send(self, packet: str) -> None:
        payload = packet.encode()
        size = len(payload)
        if size < _LENGTH_16:
            head = bytes((_TEXT, _MASKED | size))
        else:
            head = bytes((_TEXT, _MASKED | _LENGTH_16)) + size.to_bytes(2, "big")
        self._tcp.write(head + b"\0\0\0\0" + payload)

    async def receive(self) -> str:
        kind, length = await self._tcp.read(2)
        if length == _LENGTH_16:
            length = int.from_bytes(await self._tcp.read(2), "big")
        elif length == _LENGTH_64:
            length = int.from_bytes(await self._tcp.read(8), "big")
        payload = await self._tcp.read(length)
        if kind == _CLOSE:
            raise Lost("closed")
        if kind != _TEXT:
            raise Unexpected(f"frame {kind:#x}")
        return payload.decode()

    def reset(self) -> None:
        self._tcp.reset()

    def abandon(self) -> None:
        self._tcp.abandon()


async def _upgrade(tcp: Tcp, request: bytes) -> None:
    tcp.write(request)
    status = (await tcp.read_head()).split()[1]
    if status != b"101":
        raise Lost(status.decode())
