"""One client: connects, receives, is cut, comes back, for ever, as the stock socket.io-client."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import orjson

from tests.chaos import offsets
from tests.chaos.session import Session
from tests.chaos.tcp import Lost
from tests.chaos.wire import Unexpected

if TYPE_CHECKING:
    from tests.chaos.ledger import Ledger
    from tests.chaos.network import Network
    from tests.chaos.receipts import Receipts
    from tests.chaos.wire import Wire

WARM_UP: Final = 0
"""Id of messages that only show that a client is in its room."""

_OPENS_WITHIN_S: Final = 20.0  # ``timeout`` of the stock client
_SILENCE_S: Final = 45.0  # ``pingInterval`` and ``pingTimeout`` of both servers


def now_ms() -> float:
    """Milliseconds since 1970: the clock of all books, and of Redis."""
    return time.time() * 1000


class Client:
    """A page that stays open.

    Args:
        kind: ``Websocket`` or ``Polling``.
        token: Channel token.
        receipts: Its books.
        ledger: Knows what was published.
        network: Decides when it is cut, and where it connects.
    """

    def __init__(
        self, kind: type[Wire], token: str, receipts: Receipts, ledger: Ledger, network: Network
    ) -> None:
        self._kind = kind
        self._token = token
        self._receipts = receipts
        self._ledger = ledger
        self._network = network
        self._session = Session()
        self._wire: Wire | None = None
        self._half_open: Wire | None = None
        self._is_cut = False
        self._early: list[list] = []

    async def run(self) -> None:
        """Live until cancelled."""
        network = self._network
        attempt = 0
        try:
            while True:
                await network.passage()
                try:
                    async with asyncio.timeout(_OPENS_WITHIN_S):
                        self._wire = await self._kind.open(network.port(), self._token)
                except (Lost, TimeoutError):
                    await asyncio.sleep(network.pace.attempt_in_s(attempt, network.random))
                    attempt += 1
                    continue
                await self._stay(self._wire)
                attempt = 0
                if self._is_cut:
                    await network.back()
                else:
                    await asyncio.sleep(network.pace.attempt_in_s(0, network.random))
        finally:
            for wire in (self._wire, self._half_open):
                if wire is not None:
                    wire.reset()

    async def _stay(self, wire: Wire) -> None:
        """Use a connection until it ends."""
        self._is_cut = False
        timer = self._network.cut_later(self._cut)
        try:
            await wire.send(self._session.connect_packet())
            while True:
                await self._take(wire, await self._next(wire))
        except Lost:
            self._receipts.disconnected(now_ms(), by_server=not self._is_cut)
            if wire is not self._half_open:
                wire.reset()
        finally:
            timer.cancel()

    def _cut(self, is_told: bool) -> None:  # noqa: FBT001 - called by position, by the network
        """Lose the connection. The server learns of it or not."""
        self._is_cut = True
        if self._half_open is not None:
            self._half_open.reset()  # one at a time is enough
            self._half_open = None
        if is_told:
            self._wire.reset()
        else:
            self._half_open = self._wire
            self._wire.abandon()

    async def _next(self, wire: Wire) -> str:
        try:
            async with asyncio.timeout(_SILENCE_S):
                return await wire.receive()
        except TimeoutError as error:
            raise Lost("silent") from error

    async def _take(self, wire: Wire, packet: str) -> None:
        """Act on one Engine.IO packet."""
        if packet.startswith("42"):
            self._early.append(orjson.loads(packet[2:]))
            self._hear()
        elif packet == "2":
            await wire.send("3")
        elif packet.startswith("40"):
            pid = orjson.loads(packet[2:]).get("pid")
            self._receipts.connected(now_ms(), recovered=self._session.resume(pid))
            self._hear()
        elif packet.startswith(("41", "44")):
            self._receipts.dismissed += 1
            raise Lost("dismissed")
        elif packet == "1":
            raise Lost("closed")
        elif packet != "6":
            raise Unexpected(packet)

    def _hear(self) -> None:
        """Act on events. Those before the reply to CONNECT wait for it: Node sends them first."""
        if self._receipts.is_online:
            early, self._early = self._early, []
            for arguments in early:
                self._event(arguments)

    def _event(self, arguments: list) -> None:
        offset = offsets.read(arguments[-1]) if self._session.take(arguments) else None
        name, body, *_ = arguments
        if name == "records":
            self._records(body, offset)
        elif name == "offset" and offset is not None:
            self._receipts.seeded(offset)

    def _records(self, body: dict, offset: offsets.Offset | None) -> None:
        receipts = self._receipts
        if body["room"] != receipts.room:
            receipts.foreign += 1
        message_id = body["records"]["events"][0]["id"]
        if message_id == WARM_UP:
            receipts.warm_up(offset)
        elif message := self._ledger.find(message_id):
            receipts.take(message, now_ms(), offset)
