"""A WebSocket that ends politely, and that can take over from polling."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Self

from tests.chaos.tcp import Lost, Tcp
from tests.chaos.websocket import Websocket, upgrade_request
from tests.chaos.wire import Unexpected

if TYPE_CHECKING:
    from tests.chaos.polling import Polling

_CLOSE: Final = b"\x88\x82\0\0\0\0\x03\xe8"  # 1000, masked with zeros
_NOOP: Final = "6"
_UPGRADE: Final = "5"


class Page(Websocket):
    """What a browser has open; its base can only be reset."""

    @classmethod
    async def instead_of(cls, polling: Polling, port: int, token: str) -> Self:
        """Move a session to a WebSocket while one of its polls waits, as the stock client does."""
        _, _, sid = polling._target.rpartition("=")
        page = cls(await Tcp.open(port))
        try:
            await asyncio.gather(
                _until_noop(polling), page._probe(upgrade_request(port, f"{token}&sid={sid}"))
            )
            await page.send(_UPGRADE)
        except BaseException:
            page.reset()
            raise
        return page

    async def _probe(self, request: bytes) -> None:
        self._tcp.write(request)
        status = (await self._tcp.read_head()).split()[1].decode()
        if status != "101":
            raise Lost(status)
        await self.send("2probe")
        if (packet := await self.receive()) != "3probe":
            raise Unexpected(packet)

    async def close(self) -> None:
        """Send a close frame, and wait until the server has ended it."""
        self._tcp.write(_CLOSE)
        await self.end()

    async def end(self) -> None:
        """Wait until the server ends it; what still comes is dropped."""
        with contextlib.suppress(Lost):
            await self._tcp.read_all()


async def _until_noop(polling: Polling) -> None:
    while await polling.receive() != _NOOP:
        pass
