"""The journal cannot be written: deliveries go on without it, and what may be missing is said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.chaos.client import now_ms
from tests.chaos.ledger import Audience
from tests.chaos.outcome import Check, close
from tests.chaos.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import redis.asyncio

    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

    Step = Callable[[redis.asyncio.Redis], Awaitable[object]]

_JOURNAL: Final = "{channel_server}:journal"
_NOTICES_WITHIN_S: Final = 10.0


async def wrong_type(stage: Stage) -> Outcome:
    """Its key holds something else."""

    async def repair(redis: redis.asyncio.Redis) -> None:
        await redis.delete(_JOURNAL)

    return await _broken(stage, lambda redis: redis.set(_JOURNAL, "junk"), repair)


async def out_of_memory(stage: Stage) -> Outcome:
    """Redis takes nothing more; ``PUBLISH`` still works."""
    return await _broken(
        stage,
        lambda redis: redis.config_set("maxmemory", 1),
        lambda redis: redis.config_set("maxmemory", 0),
    )


async def _broken(stage: Stage, break_it: Step, repair: Step) -> Outcome:
    (node,) = await stage.set_up()
    await stage.publish("plain", "lib")
    await stage.play(0.3)
    for press in stage.presses.values():
        press.audience = Audience.ONLINE
    # Who was away when it was published gets it only if the journal lives until he is back.
    stage.ledger.excuse(now_ms() - 2000 * stage.plan.pace.offline_s)
    await break_it(stage.redis)

    async def is_degraded() -> bool:
        return await node.status() == (200, "degraded")

    async def is_ok() -> bool:
        return await node.status() == (200, "ok")

    noticed_s = await until(is_degraded, "/ready is degraded", within_s=_NOTICES_WITHIN_S)
    await stage.play(0.4)
    stayed = await is_degraded()
    await repair(stage.redis)
    repaired_ms = now_ms()
    healed_s = await until(is_ok, "/ready is ok again", within_s=_NOTICES_WITHIN_S)
    for press in stage.presses.values():
        press.audience = Audience.MEMBERS
    await stage.play(0.3)
    tally = await stage.finish()
    told = sum(
        not one.recovered and one.at_ms > repaired_ms
        for receipts in stage.crowd.receipts
        for one in receipts.returns
    )
    return close(
        tally,
        Check(f"degraded after {noticed_s:.1f} s", stayed),
        Check(f"ok again after {healed_s:.1f} s", is_met=True),
        Check(f"{told} clients told of a gap", told > 0),
        twice=stage.plan.twice,
    )
