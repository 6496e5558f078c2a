"""Another Redis becomes the primary. Publishers wait for it: what an old primary takes on is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from tests.chaos.outcome import Check, close
from tests.chaos.stage import ONLY_LIB
from tests.chaos.waiting import until
from tests.faults.sentinels import House

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage
    from tests.faults.pair import Pair

_WITHIN_S: Final = 20.0
_READY_WITHIN_S: Final = 2.0


async def by_sentinels(stage: Stage) -> Outcome:
    """The primary is killed, and three Sentinels make its replica one."""
    pair = await asyncio.to_thread(stage.pair)
    with House(stage.folder, pair) as house:
        stage.url = house.url

        async def fail_over() -> None:
            await asyncio.to_thread(pair.old.kill)
            await until(lambda: _is_primary(pair), "a new primary", within_s=_WITHIN_S)

        return await _through(stage, fail_over)


async def in_place(stage: Stage) -> Outcome:
    """The primary becomes a replica where it is, and its address leads to the new one."""
    pair = await asyncio.to_thread(stage.pair)

    async def change() -> None:
        await asyncio.to_thread(pair.change_roles)
        pair.move()

    return await _through(stage, change)


async def _through(stage: Stage, event: Callable[[], Awaitable[None]]) -> Outcome:
    nodes = await stage.set_up(nodes=2, settings={**ONLY_LIB, "PROBE_SECONDS": "1"})
    await stage.publish("lib")
    await stage.play(0.4)
    lib = stage.presses["lib"]
    await lib.pause()
    await event()

    async def are_ready() -> bool:
        return all([await node.is_ready() for node in nodes])

    ready_s = await until(are_ready, "all nodes are ready", within_s=_WITHIN_S)
    lib.resume()
    await stage.play(0.6)
    tally = await stage.finish()
    return close(
        tally,
        Check(
            f"ready {ready_s:.1f} s after there was a primary",
            ready_s < _READY_WITHIN_S,
            is_timing=True,
        ),
        twice=stage.plan.twice,
    )


def _is_primary(pair: Pair) -> bool:
    with pair.new.client() as raw:
        return bool(raw.info("replication")["role"] == "master")
