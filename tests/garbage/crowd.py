"""Clients that come and go, a thousand or so, and what they leave behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tests.conformance.wire import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from tests.garbage.heap import Heap

CLIENTS: Final = 1_000
_CLIENTS_FOR_ONE: Final = 10
"""An object, of whatever kind, that is left by fewer clients than these is left by each."""


async def garbage_of(
    heap: Heap,
    way: Callable[[Client], Awaitable[None]],
    *,
    clients: int = CLIENTS,
    at_once: int = 25,
) -> Mapping[str, int]:
    """What only a collection would free after these clients, by type.

    Args:
        heap: Where they go to.
        way: What one of them does; its connections are closed when it is done.
        clients: How many come.
        at_once: How many there are at a time.
    """
    before = (await asyncio.to_thread(heap.measure))["live"]
    await _crowd(heap.port, way, clients, asyncio.Semaphore(at_once))
    return await asyncio.to_thread(heap.settle, before)


def is_little(garbage: Mapping[str, int], clients: int = CLIENTS) -> bool:
    """Tell whether it is not by client."""
    return sum(garbage.values()) < clients / _CLIENTS_FOR_ONE


async def _crowd(
    port: int, way: Callable[[Client], Awaitable[None]], clients: int, places: asyncio.Semaphore
) -> None:
    async def come_and_go() -> None:
        async with places:
            client = Client(port, "/socket.io/")
            await way(client)
            await client.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(come_and_go())
