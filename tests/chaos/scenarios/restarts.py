"""Clients lose their network, servers are killed, drained and started again."""

from __future__ import annotations

import asyncio
from itertools import chain
from typing import TYPE_CHECKING, Final

from tests.chaos.client import now_ms
from tests.chaos.ledger import Audience
from tests.chaos.outcome import Check, close
from tests.chaos.scenarios.recording import all_recorded, recording_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

_WINDOW_MS: Final = 500
_WAVE: Final = 2.5
"""How many times its even share one wave of hang-ups may be."""


async def jitter(stage: Stage) -> Outcome:
    """Nothing fails but the clients' network."""
    await stage.set_up()
    await stage.publish("plain", "lib")
    await stage.play(1)
    tally = await stage.finish()
    repeated = Check(f"{tally.repeated} offsets repeated", tally.repeated == 0)
    return close(tally, repeated, twice=0)


async def kill(stage: Stage) -> Outcome:
    """The only server is killed."""
    (node,) = await stage.set_up()
    await stage.publish("lib")
    await stage.play(0.3)
    await node.kill()
    await asyncio.sleep(stage.plan.down_s)
    await node.start()
    await stage.play(0.7)
    return close(await stage.finish(), twice=stage.plan.twice)


async def kill_plain(stage: Stage) -> Outcome:
    """The only server is killed; nobody hears what is published plainly until it is back."""
    (node,) = await stage.set_up()
    await stage.publish("plain", "lib", per_s=2 * stage.plan.per_s)
    await stage.play(0.3)
    plain = stage.presses["plain"]
    await plain.pause()
    await all_recorded(stage, plain.name)
    plain.audience = Audience.NOBODY
    plain.resume()
    await node.kill()
    await asyncio.sleep(stage.plan.down_s)
    await node.start()
    plain.audience = Audience.MEMBERS
    await stage.play(0.7)
    tally = await stage.finish()
    said = Check(f"{tally.admitted} missing and said to be", tally.admitted > 0)
    return close(tally, said, twice=stage.plan.twice)


async def restart(stage: Stage) -> Outcome:
    """The only server is restarted by its operator."""
    (node,) = await stage.set_up()
    await stage.publish("lib")
    await stage.play(0.3)
    code = await node.drain()
    await node.start()
    await stage.play(0.7)
    return close(await stage.finish(), _exit(code), twice=stage.plan.twice)


async def restart_beside(stage: Stage) -> Outcome:
    """The node that records is restarted while another one is up."""
    nodes = await stage.set_up(nodes=2)
    await stage.publish("plain")
    await stage.play(0.3)
    node = await recording_node(stage.redis, nodes)
    code = await node.drain()
    await node.start()
    await stage.play(0.7)
    return close(await stage.finish(), _exit(code), twice=stage.plan.twice)


async def rolling(stage: Stage) -> Outcome:
    """Two nodes are restarted, one after the other. No cuts: all hang-ups are the servers'."""
    nodes = await stage.set_up(nodes=2, cuts=False)
    await stage.publish("plain", "lib")
    checks = []
    for node in nodes:
        await stage.play(0.2)
        start_ms = now_ms()
        code = await node.drain()
        end_ms = now_ms()
        hung_up = chain.from_iterable(books.hung_up_ms for books in stage.crowd.receipts)
        times = sorted(at_ms for at_ms in hung_up if start_ms < at_ms <= end_ms)
        checks += [_exit(code), _wave(times, stage.plan.drain_s)]
        await node.start()
    await stage.play(0.2)
    return close(await stage.finish(), *checks, twice=stage.plan.twice)


def _exit(code: int) -> Check:
    return Check(f"exit status {code}", code == 0)


def _wave(times_ms: Sequence[float], drain_s: float) -> Check:
    """Judge the largest number of hang-ups within half a second.

    Args:
        times_ms: When clients were hung up, ascending.
        drain_s: How long the drain had.
    """
    largest, first = 0, 0
    for last, at_ms in enumerate(times_ms):
        while at_ms - times_ms[first] > _WINDOW_MS:
            first += 1
        largest = max(largest, last - first + 1)
    share = len(times_ms) * _WINDOW_MS / 1000 / drain_s
    text = f"{len(times_ms)} hung up, at most {largest} in 0.5 s"
    return Check(text, bool(times_ms) and largest <= _WAVE * share + 1)
