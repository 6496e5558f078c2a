"""What a client needs of a transport: Engine.IO packets, from the open packet on."""

from __future__ import annotations

from typing import Final, Protocol, Self

import orjson

TARGET: Final = "/socket.io/?EIO=4&transport={transport}&channel_token={token}"


class Unexpected(Exception):
    """The server sent something that has no place in the protocol; the message shows it."""


class Wire(Protocol):
    """One open connection of one client. Methods that wait raise ``Lost`` when it is over."""

    @classmethod
    async def open(cls, port: int, token: str) -> Self:
        """Connect, and return when the open packet has come."""
        ...

    async def send(self, packet: str) -> None:
        """Send one packet."""
        ...

    async def receive(self) -> str:
        """Wait for the next packet."""
        ...

    def reset(self) -> None:
        """See ``Tcp.reset``."""
        ...

    def abandon(self) -> None:
        """See ``Tcp.abandon``."""
        ...


def session_id(packet: str) -> str:
    """Session id in an open packet."""
    if not packet.startswith("0"):
        raise Unexpected(packet)
    return orjson.loads(packet[1:])["sid"]
