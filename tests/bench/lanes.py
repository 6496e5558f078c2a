"""A lane: one server under test, its publisher and its clients."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.client import Client
from tests.bench.crowd import Crowd
from tests.bench.pump import LIMIT_S, Pump, TookTooLong
from tests.bench.servers import FLOOR, Floor, Relay, Server
from tests.bench.store import Store
from tests.bench.websocket import FrameReader

_CALM_WINDOW_S = 0.25
_CALM_SHARE = 0.1  # of one core
_REST_LIMIT_S = 3 * LIMIT_S
"""A relay that drops 4,000 clients one by one needs a minute and more on a slow machine."""


@dataclass(frozen=True, slots=True)
class Lane:
    """Everything that belongs to one server.

    Attributes:
        redis_url: Of the Redis that its server listens to; empty for the C loop.
        publish: Publishes one record for the room it is given.
    """

    name: str
    server: Server
    pump: Pump
    crowd: Crowd
    publish: Callable[[str], None]
    redis_url: str

    def cpu_s_of(self, work: Callable[[], None]) -> float:
        """CPU time that the server spends while a piece of work is done."""
        before = self.server.cpu_s()
        work()
        return self.server.cpu_s() - before

    def calm_down(
        self, run: Callable[[float], None] | None = None, *, sockets: int | None = None
    ) -> None:
        """Wait until the server has (nearly) nothing left to do.

        Args:
            run: Keeps the clients alive for a number of seconds; by default the pump does.
            sockets: If given, wait also until the server has no more open files than that.
        """
        run = run or self.pump.run
        deadline = time.monotonic() + _REST_LIMIT_S
        while True:
            cpu_s = self.cpu_s_of(lambda: run(_CALM_WINDOW_S))
            closed = sockets is None or self.server.descriptors() <= sockets
            if closed and cpu_s <= _CALM_SHARE * _CALM_WINDOW_S:
                return
            if time.monotonic() > deadline:
                raise TookTooLong(f"{self.name} at rest")


@contextmanager
def open_lanes(
    names: Sequence[str], kind: type[Client], users: int, directory: Path
) -> Iterator[list[Lane]]:
    """Start servers, each with a publisher of its own; end them all with the block.

    Args:
        names: Which servers, from ``servers.SERVERS``.
        kind: What the clients of relays are; those of the C loop only read frames.
        users: How many users Redis knows; as many connections the C loop waits for.
        directory: Where output goes, and where the compiled C loop is.
    """
    pump = Pump()
    with ExitStack() as stack:
        lanes = []
        for name in names:
            if name == FLOOR:
                server = publisher = Floor(users, directory)
                kind_here = FrameReader
            else:
                publisher = Store(directory)
                stack.callback(publisher.stop)
                publisher.fill(users)
                server = Relay(name, publisher.url, directory)
                kind_here = kind
            stack.callback(server.stop)
            server.until_ready()
            crowd = Crowd(pump, server.port, kind_here)
            stack.callback(crowd.leave)
            url = "" if name == FLOOR else publisher.url
            lanes.append(Lane(name, server, pump, crowd, publisher.publish, url))
        yield lanes
