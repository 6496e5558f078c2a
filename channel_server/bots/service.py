"""All parts of the Matrix bots, put together: the same inside ``serve`` and as a program alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.adapters.commands import Commands
from channel_server.adapters.feed import Feed
from channel_server.adapters.guarded_http import GuardedHttp
from channel_server.adapters.outbox import Outbox
from channel_server.bots.bridge import Bridge
from channel_server.bots.courier import Courier
from channel_server.bots.homeserver import Homeservers
from channel_server.bots.sender import LEASE_S, Sender
from channel_server.bots.slots import Slots
from channel_server.log import place_of
from publisher.contract import CHATBOTS

if TYPE_CHECKING:
    from channel_server.adapters.pauses import Pauses
    from channel_server.config import Settings
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

REQUEST_S: Final = 60.0
_FLUSH_S: Final = 1.0
_PAUSE_S: Final = 1.0


class Bots:
    """Hears, keeps, sends. Has connections to Redis of its own: nobody waits for anybody here.

    Args:
        settings: What the operator chose.
        node: Name of this node.
        metrics: Counts.
        pauses: Between attempts to connect; shared by all that go to this Redis.

    Attributes:
        commands: To Redis.
        feed: The subscription.
    """

    def __init__(self, settings: Settings, *, node: str, metrics: Metrics, pauses: Pauses) -> None:
        node = f"{node}-bots"
        self.commands = Commands(
            settings.redis_url, probe_s=settings.probe_s, pauses=pauses, purpose="bot commands"
        )
        outbox = Outbox(
            self.commands, node=node, lease_s=LEASE_S, max_age_s=settings.bot_max_age_s
        )
        self._listening: asyncio.Task[NoReturn] | None = None
        self._http = GuardedHttp(settings.matrix_allowed_hosts, timeout_s=REQUEST_S)
        clock = time.monotonic
        courier = Courier(
            Homeservers(self._http, joins=settings.is_matrix_joining, clock=clock),
            Slots(clock),
            max_age_s=settings.bot_max_age_s,
            metrics=metrics,
            clock=clock,
            random=random.random,
        )
        self._sender = Sender(outbox, courier, metrics=metrics, clock=clock)
        self.commands.connected.append(self._sender.wake)
        self._bridge = Bridge(
            outbox,
            node=node,
            max_age_s=settings.bot_max_age_s,
            recorded=self._sender.wake,
            metrics=metrics,
            clock=clock,
        )
        self.feed = Feed(
            settings.redis_url,
            (),
            self._bridge.heard,
            patterns=(CHATBOTS,),
            commands=self.commands,
            node=node,
            before=self._bridge.before_subscribing,
            is_up=self._bridge.subscribed,
            probe_s=settings.probe_s,
            pauses=pauses,
            purpose="bot subscription",
        )

    async def run(self) -> NoReturn:
        """Work until cancelled. A bug here ends neither the bots nor live updates."""
        while True:
            try:
                await self._run_parts()
            except* Exception as group:  # noqa: BLE001 - live updates go on
                for error in group.exceptions:
                    log.error(  # noqa: TRY400 - a traceback has the words of errors
                        "bots failed, and begin anew", extra={"error": place_of(error)}
                    )
            await asyncio.sleep(_PAUSE_S)

    async def _run_parts(self) -> None:
        async with self._http, asyncio.TaskGroup() as group:
            for part in (self.commands, self._bridge, self._sender):
                group.create_task(part.run(), name=type(part).__name__.lower())
            await self.commands.has_connected.wait()  # to ask for the time before subscribing
            self._listening = group.create_task(self.feed.run(), name="feed")

    async def stop(self) -> None:
        """Keep what has been heard, and let another node send."""
        if self._listening is not None:
            self._listening.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await self._bridge.flush()
        await self._sender.release()
