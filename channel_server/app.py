"""Builds every part, starts them in the order of their dependence, stops them in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import time
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from channel_server.adapters.cluster_directory import ClusterDirectory, directory_of
from channel_server.adapters.commands import Commands
from channel_server.adapters.feed import Feed
from channel_server.adapters.pauses import Pauses
from channel_server.adapters.refusals import remedy_for
from channel_server.admin_config import AdminSettings
from channel_server.bots.service import Bots
from channel_server.config import masked
from channel_server.core.journal import Tail
from channel_server.core.records import CHANNELS
from channel_server.core.rooms import Rooms
from channel_server.descriptors import MAX_DESCRIPTORS, most_connections
from channel_server.drain import drain
from channel_server.engine.listener import listening
from channel_server.engine.options import Cors, Options
from channel_server.engine.places import shown_place
from channel_server.journaling import SharedJournal, journaling
from channel_server.live.fanout import Client, Fanout
from channel_server.live.gateway import Gateway
from channel_server.live.intake import Intake
from channel_server.live.latecomers import Latecomers
from channel_server.live.lookups import LookUps
from channel_server.live.orders import Orders
from channel_server.live.recovery import Recovery
from channel_server.live.replays import Replays
from channel_server.live.upkeep import Upkeep
from channel_server.metrics import Metrics
from channel_server.node import new_node_name
from channel_server.operating.live import LiveOperator, Parts
from channel_server.web.health import Health, add_health
from publisher.contract import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.config import Settings
    from channel_server.engine.session import Session
    from channel_server.stop import Stop

log = logging.getLogger(__name__)


class ChannelServer:
    """All parts of one server.

    Args:
        settings: What the operator chose.
        admin: What the operator chose about watching it; without it there is no internal port.
        options: Of the engine; without them they follow from the settings.

    Attributes:
        web_app: Routes beside the Socket.IO path; more can be added before ``run``.
    """

    def __init__(
        self,
        settings: Settings,
        admin: AdminSettings | None = None,
        *,
        options: Options | None = None,
    ) -> None:
        self._settings = settings
        self._admin = admin or AdminSettings(port=0)
        metrics = Metrics()
        node = new_node_name()
        pauses = Pauses(random.random)
        rooms: Rooms[Client] = Rooms()
        tail = Tail(
            window_s=settings.recovery_s,
            max_entries=settings.journal_entries,
            max_bytes=settings.journal_bytes,
        )
        self._commands = Commands(settings.redis_url, probe_s=settings.probe_s, pauses=pauses)
        self._directory = directory_of(
            settings.redis_url,
            self._commands,
            patience_s=settings.lookup_patience_s,
            token_ttl_s=settings.token_ttl_s,
        )
        look_ups = LookUps(self._directory)
        self._replays = Replays(
            tail, rooms, metrics=metrics, piece_bytes=min(256 * 1024, settings.write_limit)
        )
        orders = Orders(self._sessions, rooms, look_ups, self._replays, metrics)
        intake = Intake(
            Fanout(rooms),
            tail,
            obey=orders.obey,
            metrics=metrics,
            clock=time.monotonic,
            redis_clock=lambda: self._feed.redis_now_s,
        )
        shared = partial(
            SharedJournal,
            settings,
            self._commands,
            node=node,
            tail=tail,
            intake=intake,
            metrics=metrics,
            changed=self._refresh,
            overrun=self._overrun,
            pauses=pauses,
        )
        self._journaling = journaling(
            settings.journal, tail, intake, shared, max_message_bytes=settings.max_message_bytes
        )
        self._latecomers = Latecomers(self._journaling.whole)
        recovery = Recovery(
            tail,
            self._replays,
            journal=self._journaling,
            latecomers=self._latecomers,
            metrics=metrics,
        )
        self._upkeep = Upkeep(self._sessions, rooms, tail, self._directory)
        self._gateway = Gateway(
            options or _options(settings),
            look_ups=look_ups,
            rooms=rooms,
            recovery=recovery,
            departing=self._upkeep.departed,
            metrics=metrics,
        )
        self._engine = self._gateway.engine
        self._engine.is_ready = False
        self._feed = Feed(
            settings.redis_url,
            (*CHANNELS, CONTROL),
            self._journaling.heard,
            commands=self._commands,
            node=node,
            is_up=self._subscribed,
            is_proven=self._journaling.proven,
            probe_s=settings.probe_s,
            pauses=pauses,
        )
        self._bots = (
            Bots(settings, node=node, metrics=metrics, pauses=pauses)
            if settings.has_bots
            else None
        )
        self._parts = Parts(
            settings=settings,
            node=node,
            engine=self._engine,
            rooms=rooms,
            tail=tail,
            feed=self._feed,
            commands=self._commands,
            journaling=self._journaling,
            metrics=metrics,
        )
        self._is_subscribed = False
        self._is_stopping = False
        self.web_app = web.Application()
        add_health(self.web_app, self._health)

    def _sessions(self) -> list[Session]:
        return list(self._engine.sessions.values())

    def _subscribed(self, is_up: bool) -> None:  # noqa: FBT001 - a callback of the feed
        self._is_subscribed = is_up
        if not is_up:
            self._journaling.deaf()
        self._refresh()

    def _refresh(self) -> None:
        """Open the Socket.IO path when everything stands; clients stay when something is lost."""
        is_ready = self._is_subscribed and self._journaling.is_settled
        self._engine.is_ready = self._engine.is_ready or is_ready

    def _overrun(self) -> None:
        """Clients have missed what this node could not read: they return, and are told."""
        log.warning("journal overrun", extra={"clients": len(self._engine.sessions)})
        self._engine.hang_up_all("overrun")

    def _health(self) -> Health:
        wrong = [complaint] if (complaint := self._feed.complaint) else []
        why_not = self._commands.why_not
        if not (self._engine.is_ready or self._journaling.is_settled):
            wrong.append("the journal has not been read yet")
        is_ready = not wrong and self._engine.is_ready and not self._is_stopping
        if why_not and not any(why_not in reason for reason in wrong):
            wrong.append(f"no connection for commands: {why_not}: {remedy_for(why_not)}")
        if trouble := self._journaling.trouble:
            wrong.append(f"journal: {trouble}: {remedy_for(trouble)}")
        return Health(
            tuple(wrong),
            is_ready=is_ready,
            has_started=self._engine.is_ready,
            is_draining=self._is_stopping,
        )

    async def run(
        self, stop: Stop, *, on_listening: Callable[[int], None] = lambda _: None
    ) -> None:
        """Serve until somebody asks to stop.

        Args:
            stop: Ask it to end; ask again to end at once.
            on_listening: Called with the port as soon as it is open.

        Raises:
            CannotListen: If the port is taken.
        """
        _collect_rarely()
        settings = self._settings
        operator = LiveOperator(
            self._parts, self._admin, health=self._health, leave=stop.asked.set
        )
        async with asyncio.TaskGroup() as group, operator.watching() as watched:
            parts = self._start(group)
            async with listening(
                self._engine,
                self.web_app,
                settings.port,
                address=settings.host,
                hurried=stop.hurried,
            ) as port:
                self._report(port, watched)
                on_listening(port)
                await stop.asked.wait()
                self._is_stopping = True
                log.info("stopping", extra={"clients": len(self._engine.sessions)})
                await drain(
                    self._engine, stop, delay_s=settings.drain_delay_s, over_s=settings.drain_s
                )
            await stop.unless_hurried(self._finish())
            for part in parts:
                part.cancel()
        log.info("stopped")

    def _start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        parts = [
            group.create_task(self._engine.run(), name="engine"),
            group.create_task(self._commands.run(), name="commands"),
            *self._journaling.start(group, self._feed),
            group.create_task(self._feed.run(), name="feed"),
            group.create_task(self._replays.run(), name="replays"),
            group.create_task(self._latecomers.run(), name="latecomers"),
            group.create_task(self._run_upkeep(), name="upkeep"),
        ]
        if self._bots is not None:
            parts.append(group.create_task(self._bots.run(), name="bots"))
        if isinstance(self._directory, ClusterDirectory):
            parts.append(group.create_task(self._directory.run(), name="directory"))
        return parts

    async def _finish(self) -> None:
        """Keep what has been heard, and let other nodes go on."""
        if self._bots is not None:
            await self._bots.stop()
        await self._journaling.stop()
        await self._commands.flush()

    async def _run_upkeep(self) -> None:
        await self._upkeep.run(
            seed_every_s=max(self._settings.recovery_s / 4, 1.0),
            renew_every_s=max(self._settings.token_ttl_s / 2, 1.0),
        )

    def _report(self, port: int, watched: dict[str, str]) -> None:
        settings = self._settings
        log.info(
            "listening",
            extra={
                **shown_place(settings.host, port),
                "redis": masked(settings.redis_url),
                "cors_origin": settings.cors_origin or "*",
                "max_connections": self._engine.options.max_connections,
                "journal": settings.journal,
                "bots": int(settings.has_bots),
                **watched,
            },
        )


def _options(settings: Settings) -> Options:
    return Options(
        write_limit=settings.write_limit,
        write_timeout_s=settings.write_timeout_s,
        max_connections=min(settings.max_connections or MAX_DESCRIPTORS, most_connections()),
        max_packets_per_s=settings.packets_per_s,
        trusted_proxies=settings.trusted_proxies,
        max_per_address=settings.max_per_address,
        max_requests_per_address=settings.max_requests_per_address,
        cors=Cors(origin=settings.cors_origin, strict=settings.is_origin_checked),
    )


def _collect_rarely() -> None:
    """Let the collector of reference cycles run less often.

    Every message makes and drops a few dozen containers, none of them in a cycle; with Python's
    own threshold of 700 the collector takes 14 % of the time of a message to one user.
    """
    gc.freeze()  # what is here now stays
    gc.set_threshold(20_000, 50, 100)


async def serve(settings: Settings, admin: AdminSettings, stop: Stop) -> None:
    """Run the server until somebody asks to stop."""
    await ChannelServer(settings, admin).run(stop)
