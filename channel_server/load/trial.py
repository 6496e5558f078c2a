"""A load test from the first connection to the report."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from channel_server.descriptors import most_connections
from channel_server.errors import CannotLoad
from channel_server.load.client import OWN, Client
from channel_server.load.report import table_of
from channel_server.load.tally import Tally
from publisher import AsyncPublisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

    from channel_server.load.plan import Plan

_GRACE_S: Final = 5.0
_LOOK_S: Final = 0.1
_SPARE_S: Final = 600
_HIGH: Final = 2**40
_VISITORS: Final = ""


class _Feed(NamedTuple):
    """A way to publish to the clients of a test, and to nobody else.

    Attributes:
        publisher: To their Redis.
        group_id: Of a group that nobody has.
        token: Of a user who is in it.
    """

    publisher: AsyncPublisher
    group_id: int
    token: str


async def run_load(plan: Plan, redis_url: str, console: Console) -> bool:
    """Run a load test, and print its progress and its report.

    Args:
        plan: What to do.
        redis_url: Where to publish, if the plan says so.
        console: Where to print.

    Returns:
        Whether nothing was lost.

    Raises:
        CannotLoad: If it cannot begin.
        PublishError: If Redis cannot be reached.
    """
    if plan.clients > most_connections():
        raise CannotLoad(
            f"{plan.clients} clients need more file descriptors than this process may open"
            f" ({most_connections()}): raise the limit (ulimit -n), or run it on more machines"
        )
    tally = Tally()
    async with _feed(plan, redis_url) as feed:
        with Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
        ) as progress:
            await _Trial(plan, tally, feed, progress).run()
    console.print(table_of(plan, tally))
    return tally.is_lossless


@contextlib.asynccontextmanager
async def _feed(plan: Plan, redis_url: str) -> AsyncIterator[_Feed | None]:
    if not plan.publish:
        yield None
        return
    async with AsyncPublisher.from_url(redis_url) as publisher:
        number = _HIGH + secrets.randbelow(_HIGH)
        lasts_s = round(plan.clients / plan.rate + plan.seconds) + _SPARE_S
        token = await publisher.tokens.issue(
            {"id": number, "name": "load test"}, group_ids=[number], ttl=lasts_s
        )
        try:
            yield _Feed(publisher, number, token)
        finally:
            await publisher.tokens.revoke(token)


class _Trial:
    """One run."""

    def __init__(self, plan: Plan, tally: Tally, feed: _Feed | None, progress: Progress) -> None:
        self._plan = plan
        self._tally = tally
        self._feed = feed
        self._progress = progress
        self._clients: list[Client] = []

    async def run(self) -> None:
        url = self._plan.socket_url(_VISITORS if self._feed is None else self._feed.token)
        connector = aiohttp.TCPConnector(limit=0, ttl_dns_cache=600)
        timeout = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as group,
        ):
            tasks = await self._connect(group, session, url)
            await self._stay()
            for task in tasks:
                task.cancel()

    async def _connect(
        self, group: asyncio.TaskGroup, session: aiohttp.ClientSession, url: str
    ) -> list[asyncio.Task[None]]:
        """Start one client after the other; return when each is there, or has failed."""
        plan, tally = self._plan, self._tally
        bar = self._progress.add_task("connecting", total=plan.clients)
        began_s = perf_counter()
        tasks: list[asyncio.Task[None]] = []
        while True:
            due = min(plan.clients, int((perf_counter() - began_s) * plan.rate) + 1)
            for _ in range(len(tasks), due):
                client = Client(url, tally)
                self._clients.append(client)
                tasks.append(group.create_task(client.run(session)))
            done = tally.connected + tally.failed.total()
            text = f"connecting: {tally.online} online, {tally.failed.total()} failed"
            self._progress.update(bar, completed=done, description=text)
            if done == plan.clients:
                return tasks
            await asyncio.sleep(min(_LOOK_S, 1 / plan.rate))

    async def _stay(self) -> None:
        """Publish if there is something to publish, and listen."""
        plan, tally = self._plan, self._tally
        bar = self._progress.add_task("listening", total=plan.seconds)
        began_s = perf_counter()
        passed_s = 0.0
        while passed_s < plan.seconds:
            await asyncio.sleep(min(_LOOK_S, 1 / plan.publish if plan.publish else _LOOK_S))
            passed_s = min(perf_counter() - began_s, plan.seconds)
            while self._feed is not None and tally.published < passed_s * plan.publish:
                await self._publish(self._feed)
            text = f"listening: {tally.online} online, {tally.events} events"
            self._progress.update(bar, completed=passed_s, description=text)
        for _ in range(round(_GRACE_S / _LOOK_S)):
            if tally.lost <= 0:
                break
            await asyncio.sleep(_LOOK_S)

    async def _publish(self, feed: _Feed) -> None:
        tally = self._tally
        tally.published += 1
        # Who is dropped later was to get it, too.
        tally.expected += tally.online
        record = {"id": tally.published, "at": perf_counter()}
        await feed.publisher.publish_records({OWN: [record]}, group_id=feed.group_id)
