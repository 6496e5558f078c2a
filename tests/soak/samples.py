"""What the servers hold, every few seconds."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.soak.server import Soaked

_MB: Final = 1_000_000


class Sample(NamedTuple):
    """One server at one moment.

    Attributes:
        mb: Memory that nobody shares with it, in 1,000,000 bytes.
        descriptors: Open files, which is to say sockets.
    """

    mb: float
    descriptors: int


class Samples:
    """The samples of all servers, printed as they are taken.

    Args:
        servers: Whose.
        clients: Says how many clients there have been so far.
    """

    def __init__(self, servers: Sequence[Soaked], clients: Callable[[], int]) -> None:
        self._servers = servers
        self._clients = clients
        self._rows: list[list[Sample]] = []

    async def take_for(self, seconds: float, every_s: float) -> None:
        """Take samples until the time is over, or a server has ended."""
        names = (f"{server.command + ' MB':>10} {'open':>5}" for server in self._servers)
        print(f"{'minute':>7} {'clients':>8}", *names, flush=True)
        start = time.monotonic()
        for number in range(1, int(seconds / every_s) + 1):
            await asyncio.sleep(start + number * every_s - time.monotonic())
            if not all(server.is_running() for server in self._servers):
                break
            row = await asyncio.to_thread(self._row)
            self._rows.append(row)
            cells = (f"{sample.mb:10.2f} {sample.descriptors:5}" for sample in row)
            minute = (time.monotonic() - start) / 60
            print(f"{minute:7.2f} {self._clients():8,}", *cells, flush=True)

    def _row(self) -> list[Sample]:
        return [Sample(server.uss_bytes() / _MB, server.descriptors()) for server in self._servers]

    def by_server(self) -> dict[str, list[Sample]]:
        """The samples of each server, by its command."""
        columns = zip(*self._rows, strict=True)
        return dict(zip((server.command for server in self._servers), columns, strict=False))
