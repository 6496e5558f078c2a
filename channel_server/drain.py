"""How a server goes away: first it says so, then it sends its clients to another one, bit by bit.

A thousand clients that return in the same moment are a storm for the server that gets them. So
they are hung up in equal waves; each returns at once, shows its offset, and misses nothing.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from channel_server.engine.server import Engine
    from channel_server.stop import Stop

log = logging.getLogger(__name__)

_WAVE_S: Final = 0.1
_SLICE: Final = 50


async def drain(engine: Engine, stop: Stop, *, delay_s: float, over_s: float) -> None:
    """Send all clients away. ``GET /ready`` has to say 503 already.

    Args:
        engine: Whose clients.
        stop: Ends all waiting when hurried.
        delay_s: For proxies, to notice that we are not ready. Without clients it is not waited for.
        over_s: Over which time the clients are spread.
    """
    if engine.sessions:
        await stop.pause(delay_s)
    engine.is_draining = True
    clients = list(engine.sessions.values())
    waves = max(1, round(over_s / _WAVE_S))
    log.info("draining", extra={"clients": len(clients), "waves": min(waves, len(clients))})
    gone = 0
    for wave in range(1, waves + 1):
        due = math.ceil(len(clients) * wave / waves)
        for number, client in enumerate(clients[gone:due], 1):
            client.close("drain")
            if number % _SLICE == 0:
                await asyncio.sleep(0)
        gone = due
        if gone == len(clients):
            break
        await stop.pause(_WAVE_S)
