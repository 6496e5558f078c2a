"""Builds every part, starts them in the order of their dependence, stops them in reverse."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import resource
import signal
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web

from channel_server.adapters.directory import Directory
from channel_server.adapters.feed import Feed
from channel_server.adapters.pauses import growing
from channel_server.config import masked
from channel_server.core.records import CHANNELS
from channel_server.core.rooms import Rooms
from channel_server.engine.listener import listening
from channel_server.engine.options import Cors, Options
from channel_server.live.fanout import Client, Fanout
from channel_server.live.gateway import Gateway
from channel_server.live.intake import Intake
from channel_server.metrics import Metrics
from channel_server.web.health import add_health

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.config import Settings

log = logging.getLogger(__name__)

_MAX_DESCRIPTORS: Final = 1_048_576
_SPARE_DESCRIPTORS: Final = 64
"""For Redis, log files, and connections that are just being refused."""


class ChannelServer:
    """All parts of one server.

    Args:
        settings: What the operator chose.

    Attributes:
        web_app: Routes beside the Socket.IO path; more can be added before ``run``.
        metrics: Counts since the start.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.metrics = Metrics()
        pauses_s = growing(random.random)
        rooms: Rooms[Client] = Rooms()
        self._directory = Directory(
            settings.redis_url,
            patience_s=settings.lookup_patience_s,
            probe_s=settings.probe_s,
            pauses_s=pauses_s,
        )
        self._gateway = Gateway(
            _options(settings), users=self._directory, rooms=rooms, metrics=self.metrics
        )
        self._engine = self._gateway.engine
        self._engine.is_ready = False
        intake = Intake(Fanout(rooms), self.metrics, time.monotonic)
        self._feed = Feed(
            settings.redis_url,
            CHANNELS,
            intake.take,
            is_up=self._subscribed,
            probe_s=settings.probe_s,
            pauses_s=pauses_s,
        )
        self._is_subscribed = False
        self.web_app = web.Application()
        add_health(self.web_app, lambda: self._is_subscribed)

    def _subscribed(self, is_up: bool) -> None:  # noqa: FBT001 - a callback of the feed
        """Open the Socket.IO path with the first subscription; clients stay when it is lost."""
        self._is_subscribed = is_up
        self._engine.is_ready = self._engine.is_ready or is_up

    async def run(
        self, stop: asyncio.Event, *, on_listening: Callable[[int], None] = lambda _: None
    ) -> None:
        """Serve until ``stop`` is set.

        Args:
            stop: Set it to end.
            on_listening: Called with the port as soon as it is open.

        Raises:
            CannotListen: If the port is taken.
        """
        _collect_rarely()
        async with asyncio.TaskGroup() as group:
            parts = [
                group.create_task(self._engine.run(), name="engine"),
                group.create_task(self._directory.run(), name="directory"),
                group.create_task(self._feed.run(), name="feed"),
            ]
            async with listening(self._engine, self.web_app, self._settings.port) as port:
                self._report(port)
                on_listening(port)
                await stop.wait()
                log.info("stopping", extra={"clients": len(self._engine.sessions)})
            for part in parts:
                part.cancel()
        log.info("stopped")

    def _report(self, port: int) -> None:
        settings = self._settings
        log.info(
            "listening",
            extra={
                "port": port,
                "redis": masked(settings.redis_url),
                "cors_origin": settings.cors_origin or "*",
                "max_connections": self._engine.options.max_connections,
            },
        )


def _options(settings: Settings) -> Options:
    return Options(
        write_limit=settings.write_limit,
        write_timeout_s=settings.write_timeout_s,
        max_connections=min(
            settings.max_connections or _MAX_DESCRIPTORS, _descriptors() - _SPARE_DESCRIPTORS
        ),
        trusted_proxies=settings.trusted_proxies,
        max_per_address=settings.max_per_address,
        cors=Cors(origin=settings.cors_origin, strict=settings.is_origin_checked),
    )


def _descriptors() -> int:
    """Raise the limit on file descriptors as far as we may. Return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, _MAX_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, _MAX_DESCRIPTORS), hard))
    return min(hard, _MAX_DESCRIPTORS)


def _collect_rarely() -> None:
    """Let the collector of reference cycles run less often.

    Every message makes and drops a few dozen containers, none of them in a cycle; with Python's
    own threshold of 700 the collector takes 14 % of the time of a message to one user.
    """
    gc.freeze()  # what is here now stays
    gc.set_threshold(20_000, 50, 100)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event at SIGTERM and at Ctrl-C."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def serve(settings: Settings) -> None:
    """Run the server until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    await ChannelServer(settings).run(stop)
