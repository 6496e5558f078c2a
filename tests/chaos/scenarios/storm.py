"""All clients return at once to a server that has just started."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.chaos import probe
from tests.chaos.monitor import monitored
from tests.chaos.outcome import Check, close
from tests.chaos.stage import ONLY_LIB
from tests.chaos.users import ROOMS
from tests.chaos.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

_MISSED: Final = 6
_BACK_WITHIN_S: Final = 60.0
_CPU_MS: Final = 1.5
_LIVE_MS: Final = 100.0
_COMMANDS: Final = 1.2
"""For each client: one look-up, and a little for what runs all the time."""

_OF_STREAMS: Final = 0.1


async def all_return(stage: Stage) -> Outcome:
    """Everybody is recovered, at the cost of one look-up and little CPU."""
    clients = stage.plan.returning
    (node,) = await stage.set_up(clients=clients, polling=0, cuts=False, settings=ONLY_LIB)
    lib = stage.add_press("lib")
    stage.network.close()
    await node.kill()
    for _ in range(_MISSED // len(ROOMS)):
        for room in ROOMS:
            await lib.publish(room)
    await node.start()
    crowd = stage.crowd
    await until(
        lambda: stage.network.waiting == clients, "all are waiting", within_s=_BACK_WITHIN_S
    )
    socket = stage.redis_server.socket
    async with _probing(node.port) as live_ms, monitored(socket) as commands:
        before_s = node.cpu_s
        stage.network.open()
        took_s = await until(
            lambda: crowd.is_online and crowd.has_everything,
            "all are back and have everything",
            within_s=_BACK_WITHIN_S,
        )
        cpu_ms = (node.cpu_s - before_s) * 1000 / clients
    of_streams = sum(count for name, count in commands.items() if name.startswith("X"))
    tally = await stage.finish()
    return close(
        tally,
        Check(f"{tally.recovered} of {clients} recovered", tally.recovered == clients),
        Check(
            f"{commands.total() / clients:.2f} commands a client",
            commands.total() <= _COMMANDS * clients,
        ),
        Check(f"{of_streams} of streams", of_streams <= _OF_STREAMS * clients),
        Check(f"/live in {live_ms[0]:.0f} ms", live_ms[0] <= _LIVE_MS, is_timing=True),
        Check(f"{cpu_ms:.2f} ms CPU a client", cpu_ms <= _CPU_MS, is_timing=True),
        Check(f"all back in {took_s:.1f} s", is_met=True),
        twice=0,
    )


@contextlib.asynccontextmanager
async def _probing(port: int) -> AsyncIterator[list[float]]:
    """Ask ``GET /live`` from another process. Yields a list that gets the longest answer, in ms."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        Path(probe.__file__),
        str(port),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    longest_ms: list[float] = []
    try:
        await process.stdout.readline()
        yield longest_ms
        process.stdin.close()
        longest_ms.append(float(await process.stdout.read()))
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
