"""All clients of one run, each a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from tests.chaos import tally
from tests.chaos.client import Client
from tests.chaos.polling import Polling
from tests.chaos.receipts import Receipts
from tests.chaos.tasks import Tasks
from tests.chaos.users import GROUPS, group_of, numbers, token_of
from tests.chaos.websocket import Websocket

if TYPE_CHECKING:
    from tests.chaos.ledger import Ledger
    from tests.chaos.network import Network


class Crowd:
    """Users 1, 2, 3 …, every other one in the same group. A context manager: leaving it ends all.

    Args:
        size: How many.
        polling: Share of them that use HTTP long-polling.
        ledger: Knows what was published.
        network: Between them and the nodes.

    Attributes:
        receipts: The books of each client.
    """

    def __init__(self, size: int, *, polling: float, ledger: Ledger, network: Network) -> None:
        self.receipts = [Receipts(f"group-{group_of(number)}") for number in numbers(size)]
        self._ledger = ledger
        polls = round(1 / polling) if polling else 0
        self._clients = [
            Client(
                Polling if polls and number // len(GROUPS) % polls == 0 else Websocket,
                token_of(number),
                receipts,
                ledger,
                network,
            )
            for number, receipts in zip(numbers(size), self.receipts, strict=True)
        ]
        self._tasks = Tasks()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        for number, client in enumerate(self._clients, 1):
            self._tasks.start(client.run(), name=f"client {number}")
        return self

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._tasks.__aexit__(*error)
        finally:
            await asyncio.sleep(0)  # the loop closes the sockets that were reset

    @property
    def is_online(self) -> bool:
        """Whether every client is connected."""
        return all(receipts.is_online for receipts in self.receipts)

    @property
    def is_warm(self) -> bool:
        """Whether every client has received something."""
        return all(receipts.is_warm for receipts in self.receipts)

    @property
    def has_everything(self) -> bool:
        """Whether every client has what it is owed by now."""
        return tally.is_complete(self._ledger, self.receipts)
