"""The node that records plain messages fails; another one has to take over."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from tests.chaos.outcome import Check, close
from tests.chaos.scenarios.recording import LEASE_S, recording_node
from tests.chaos.swallow import SwallowingLink
from tests.chaos.waiting import until

if TYPE_CHECKING:
    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

_SCHEDULING_S: Final = 1.5
"""Waking up, noticing, and appending, beside the lease."""

_GIVE_UP_S: Final = 20.0


async def killed(stage: Stage) -> Outcome:
    """It is killed, and stays away."""
    nodes = await stage.set_up(nodes=2)
    await stage.publish("plain")
    await stage.play(0.4)
    node = await recording_node(stage.redis, nodes)
    await node.kill()
    await stage.play(0.6)
    tally = await stage.finish()
    is_timely = tally.max_ms <= (LEASE_S + _SCHEDULING_S) * 1000
    late = Check(f"late by {tally.max_ms / 1000:.1f} s", is_timely, is_timing=True)
    return close(tally, late, twice=stage.plan.twice)


async def deaf(stage: Stage) -> Outcome:
    """Its subscription dies, and nobody is told; everything else it does works."""
    with contextlib.ExitStack() as stack:
        socket = stage.redis_server.socket
        links = [stack.enter_context(SwallowingLink(socket)) for _ in range(2)]
        urls = [f"redis://127.0.0.1:{link.port}/0" for link in links]
        nodes = await stage.set_up(nodes=2, redis_urls=urls)
        await stage.publish("plain")
        await stage.play(0.3)
        link = links[nodes.index(await recording_node(stage.redis, nodes))]
        before = link.subscriptions
        link.swallow()
        healed_s = await until(
            lambda: link.subscriptions > before, "a new subscription", within_s=_GIVE_UP_S
        )
        await stage.play(0.7)
        tally = await stage.finish()
    is_timely = healed_s <= 2 * stage.plan.probe_s
    healed = Check(f"healed in {healed_s:.1f} s", is_timely, is_timing=True)
    return close(tally, healed, twice=stage.plan.twice)
