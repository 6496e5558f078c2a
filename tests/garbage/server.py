"""A server whose collector is off, and which says on demand what the collector would find.

python -m tests.garbage.server live|short|full|collab

Settings come from the environment. Each line on standard input is answered with one line of
JSON: how many objects there are, by type, ``live`` and in ``garbage``, and how many clients were
hung up by reason (``hang_ups``). The server ends when standard input does.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import uvloop

from channel_server import editing
from channel_server.admin_config import AdminSettings
from channel_server.app import ChannelServer
from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.engine.options import Options
from channel_server.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

WATCHED = (
    "aiohttp._http_parser.HttpRequestParser",
    "channel_server.collab.permit.",
    "channel_server.collab.seat.",
    "channel_server.collab.socket.",
    "channel_server.engine.",
    "channel_server.live.",
    "websockets.",
)
"""Beginnings of the names of what belongs to clients."""
OPTIONS = {
    "live": Options(write_limit=64 * 1024, write_timeout_s=0.2),
    "short": Options(
        ping_interval_s=2.0,
        ping_timeout_s=1.0,
        connect_timeout_s=2.0,
        upgrade_timeout_s=2.0,
        request_timeout_s=2.0,
        idle_timeout_s=2.0,
    ),
    "full": Options(max_connections=0),
}


def _kinds(objects: Iterable[object]) -> dict[str, int]:
    return dict(Counter(_name(type(one)) for one in objects))


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def measure() -> dict[str, dict[str, int]]:
    """What lives of ours and of the libraries that parse, and what only a collection would free."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    gc.set_debug(0)
    garbage = _kinds(gc.garbage)
    gc.garbage.clear()
    gc.collect()
    live = _kinds(one for one in gc.get_objects() if _name(type(one)).startswith(WATCHED))
    return {"live": live, "garbage": garbage}


async def _answer(hang_ups: Counter[str]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        print(json.dumps({**measure(), "hang_ups": dict(hang_ups)}), flush=True)


async def main(kind: str) -> None:
    """Serve until standard input ends."""
    gc.disable()
    settings = Settings.from_env(os.environ)
    stop = Stop()
    async with asyncio.TaskGroup() as group:
        hang_ups: Counter[str] = Counter()
        if kind == "collab":
            running = _edit(settings, stop)
        else:
            server = ChannelServer(settings, options=OPTIONS[kind])
            hang_ups = server._engine.hang_ups
            running = server.run(stop)
        serving = group.create_task(running)
        await _answer(hang_ups)
        stop.ask()
        stop.ask()
        await serving


def _edit(settings: Settings, stop: Stop) -> Coroutine[None, None, None]:
    collab = CollabSettings.from_env(os.environ)
    return editing.edit(settings, collab, AdminSettings(port=0), collab.app_url, stop)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
