"""The Matrix bots as a process of their own, without live updates."""

from __future__ import annotations

import asyncio
import logging
import random

from channel_server.adapters.pauses import Pauses
from channel_server.bots.service import Bots
from channel_server.config import Settings, masked
from channel_server.metrics import Metrics
from channel_server.node import new_node_name
from channel_server.stop import Stop

log = logging.getLogger(__name__)


async def relay(settings: Settings) -> None:
    """Relay messages of bots until SIGTERM or Ctrl-C."""
    stop = Stop()
    stop.on_signals()
    bots = Bots(settings, node=new_node_name(), metrics=Metrics(), pauses=Pauses(random.random))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bots.run(), name="bots")
        log.info("relaying for bots", extra={"redis": masked(settings.redis_url)})
        await stop.asked.wait()
        log.info("stopping")
        await stop.unless_hurried(bots.stop())
        running.cancel()
    log.info("stopped")
