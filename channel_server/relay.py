"""The Matrix bots as a process of their own, without live updates."""

from __future__ import annotations

import asyncio
import logging
import random
from typing import TYPE_CHECKING

from channel_server.adapters.pauses import Pauses
from channel_server.bots.service import Bots
from channel_server.config import Settings, masked
from channel_server.metrics import Metrics
from channel_server.node import new_node_name
from channel_server.operating import families
from channel_server.operating.watch import Watch
from channel_server.web.health import Health

if TYPE_CHECKING:
    from channel_server.admin_config import AdminSettings
    from channel_server.stop import Stop

log = logging.getLogger(__name__)


async def relay(settings: Settings, admin: AdminSettings, stop: Stop) -> None:
    """Relay messages of bots until somebody asks to stop."""
    metrics = Metrics()
    bots = Bots(settings, node=new_node_name(), metrics=metrics, pauses=Pauses(random.random))
    started = False

    def health() -> Health:
        nonlocal started
        complaint = bots.feed.complaint
        started = started or not complaint
        return Health(
            (complaint,) if complaint else (),
            is_ready=not complaint and not stop.asked.is_set(),
            has_started=started,
            is_draining=stop.asked.is_set(),
        )

    own = [
        *families.of_redis(bots.feed, lambda: bots.commands.is_up),
        *families.of_bots(metrics),
    ]
    async with (
        asyncio.TaskGroup() as group,
        Watch(admin, health, metrics).open(own) as watched,
    ):
        running = group.create_task(bots.run(), name="bots")
        log.info("relaying for bots", extra={"redis": masked(settings.redis_url), **watched})
        await stop.asked.wait()
        log.info("stopping")
        await stop.unless_hurried(bots.stop())
        running.cancel()
    log.info("stopped")
