"""A wire to Redis whose subscriptions fall silent while everything else flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.faults.link import Link

if TYPE_CHECKING:
    import asyncio
    import ssl
    from pathlib import Path


class Valve:
    """The client's end of a connection: lets through what Redis writes, until it is shut."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.transport = writer.transport
        self.is_shut = False
        self._writer = writer

    def write(self, data: bytes) -> None:
        if not self.is_shut:
            self._writer.write(data)

    async def drain(self) -> None:
        await self._writer.drain()


class SwallowingLink(Link):
    """A link that can swallow what Redis says to subscribers, and nothing else."""

    def __init__(self, target: Path, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(target, tls=tls)
        self._valves: list[Valve] = []

    @property
    def subscriptions(self) -> int:
        """How many connections have subscribed so far, whatever has become of them."""
        return sum(map(_subscribes, self.sent))

    def swallow(self) -> None:
        """From now on, the subscriptions of this moment get nothing; new ones work.

        Both sides still see an open connection, and what the client sends arrives.
        """
        for valve, sent in zip(self._valves, self.sent, strict=True):
            if _subscribes(sent):
                valve.is_shut = True

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        valve = Valve(writer)
        self._valves.append(valve)  # and, without an await between, to ``sent``
        await super()._serve(reader, valve)


def _subscribes(sent: bytearray) -> bool:
    return b"SUBSCRIBE\r\n" in sent.upper()
