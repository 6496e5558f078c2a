"""Everything one scenario needs, and the end of it all."""

from __future__ import annotations

import asyncio
import contextlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

import redis.asyncio

from publisher.contract import RECORDS
from tests.bench.servers import NODE, OURS
from tests.chaos import tally, users
from tests.chaos.client import WARM_UP
from tests.chaos.crowd import Crowd
from tests.chaos.ledger import Ledger
from tests.chaos.network import Network
from tests.chaos.node import Node
from tests.chaos.press import Press
from tests.chaos.publishers import Lib, Plain, body, plain_text
from tests.chaos.tasks import Tasks
from tests.chaos.users import ROOMS
from tests.chaos.waiting import DidNotHappen, until
from tests.conftest import RedisServer
from tests.faults.link import Link
from tests.faults.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from random import Random

    from tests.chaos.plan import Plan
    from tests.chaos.tally import Tally

ONLY_LIB: Final = MappingProxyType({"PLAIN_PUBLISHERS": "0"})
"""For a node whose absence is no gap: whoever publishes then puts it in the journal himself."""

_ONLINE_WITHIN_S: Final = 30.0
_WARM_WITHIN_S: Final = 20.0
_WARM_UP_EVERY_S: Final = 0.2
_WAYS: Final = {way.name: way for way in (Plain, Lib)}


class Stage:
    """One Redis, one or two nodes, the crowd and the publishers. A context manager.

    Args:
        server: ``OURS`` or ``NODE``.
        plan: Sizes and durations.
        folder: For the socket of Redis, so with a short path, and for output.
        random: Decides everything that is random.

    Attributes:
        plan: As given.
        redis_server: The process.
        redis: A connection to it.
        folder: As given.
        url: Where nodes and publishers find it; a scenario may say otherwise.
        ledger: What was published.
        nodes, network, crowd: There after ``set_up``.
        presses: The publishers, by name; there after ``publish``.
    """

    def __init__(self, server: str, plan: Plan, folder: Path, random: Random) -> None:
        self.plan = plan
        self.redis_server = RedisServer(folder)
        self.url = self.redis_server.url
        self.redis = redis.asyncio.Redis(
            unix_socket_path=str(self.redis_server.socket), protocol=2, decode_responses=True
        )
        self.ledger = Ledger()
        self.nodes: list[Node] = []
        self.presses: dict[str, Press] = {}
        self._server = server
        self.folder = folder
        self._random = random
        self._cleanup = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._cleanup.__aenter__()
        self._cleanup.callback(self.redis_server.stop)
        self._cleanup.push_async_callback(self.redis.aclose)
        await asyncio.to_thread(self.redis_server.start)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._cleanup.__aexit__(*error)

    # ── Setting up ──────────────────────────────────────────────────────────────────────────────

    def pair(self) -> Pair:
        """Give the Redis a replica; nodes and publishers find the primary by its address."""
        folder = self.folder / "2"
        folder.mkdir()
        servers = iter([self.redis_server, RedisServer(folder)])

        def start(*options: str) -> RedisServer:
            server = next(servers)
            server.stop()
            server.options = options
            server.start()
            self._cleanup.callback(server.stop)
            return server

        pair = Pair(start)
        self._cleanup.enter_context(pair.link)
        self.url = pair.url
        return pair

    async def set_up(
        self,
        *,
        nodes: int = 1,
        clients: int | None = None,
        polling: float | None = None,
        cuts: bool = True,
        redis_urls: Sequence[str] = (),
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> list[Node]:
        """Store the tokens, start the nodes, connect all clients, and see each receive something.

        Args:
            clients: If not as many as planned.
            polling: Share of the clients that poll, if not as planned.
            cuts: Whether the network cuts lines.
            redis_urls: For each node, if not the address of Redis itself.
            settings: Of the nodes, beside those of the plan.
        """
        size = clients or self.plan.clients
        await users.store(self.redis, size)
        for number in range(nodes):
            url = redis_urls[number] if redis_urls else self._redis_url()
            self._add_node(number, {"REDIS_URL": url, **settings})
        await asyncio.gather(*(node.start() for node in self.nodes))
        self.network = Network(
            [node.port for node in self.nodes],
            pace=self.plan.pace,
            half_open=self.plan.half_open,
            random=self._random,
            cuts=cuts,
        )
        self.crowd = await self._cleanup.enter_async_context(
            Crowd(
                size,
                polling=self.plan.polling if polling is None else polling,
                ledger=self.ledger,
                network=self.network,
            )
        )
        await self._warm_up()
        return self.nodes

    def _redis_url(self) -> str:
        if self._server == OURS:
            return self.url
        # Node's client knows no Unix sockets.
        link = self._cleanup.enter_context(Link(self.redis_server.socket))
        return f"redis://127.0.0.1:{link.port}/0"

    def _add_node(self, number: int, settings: Mapping[str, str]) -> None:
        if self._server == OURS:
            settings = {**self.plan.settings, **settings}
        node = Node(self._server, settings, self.folder / f"node-{number}.log")
        self._cleanup.push_async_callback(node.stop)
        self.nodes.append(node)

    async def _warm_up(self) -> None:
        """Publish until everybody has received something, so that Node can recover them, too."""
        texts = [plain_text(room, body(WARM_UP, "warm-up", 0)) for room in ROOMS]

        async def is_warm() -> bool:
            for text in texts:
                await self.redis.publish(RECORDS, text)
            return self.crowd.is_warm

        await until(
            is_warm, "everybody is warm", within_s=_WARM_WITHIN_S, every_s=_WARM_UP_EVERY_S
        )

    # ── Running ─────────────────────────────────────────────────────────────────────────────────

    async def publish(
        self,
        *names: str,
        per_s: float | None = None,
        rooms: Sequence[str] = ROOMS,
        padding: int = 0,
    ) -> None:
        """Start publishers, which share the rate. The Node peer gets plain messages only.

        Args:
            names: ``"plain"``, ``"lib"``.
            per_s: Messages a second of all together, if not as planned.
            rooms: Where to.
            padding: Bytes to add to each message.
        """
        if self._server == NODE:
            names = (Plain.name,)
        presses = [self.add_press(name) for name in names]
        tasks = await self._cleanup.enter_async_context(Tasks())
        rate = (per_s or self.plan.per_s) / len(names)
        for press in presses:
            tasks.start(press.run(rate, rooms, padding), name=press.name)

    def add_press(self, name: str) -> Press:
        """Make a publisher that publishes only when it is told to."""
        way = _WAYS[name](self.url)
        self._cleanup.callback(way.close)
        press = self.presses[name] = Press(way, self.ledger, self._random)
        return press

    async def play(self, share: float) -> None:
        """Let it go on for a share of the planned duration."""
        await asyncio.sleep(self.plan.seconds * share)

    async def finish(self) -> Tally:
        """Publish no more, bring everybody online, wait for what is under way, and count."""
        for press in self.presses.values():
            await press.pause()
        self.network.calm_down([node.port for node in self.nodes if node.is_running])
        await until(lambda: self.crowd.is_online, "everybody is online", within_s=_ONLINE_WITHIN_S)
        with contextlib.suppress(DidNotHappen):
            await until(
                lambda: self.crowd.has_everything, "all arrived", within_s=self.plan.settle_s
            )
        return tally.count(self.ledger, self.crowd.receipts)
