"""Redis drops its subscribers, dies, or stops."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from publisher.contract import RECORDS
from tests.chaos.client import now_ms
from tests.chaos.ledger import Audience
from tests.chaos.outcome import Check, close
from tests.chaos.publishers import body, plain_text
from tests.chaos.users import ROOMS
from tests.chaos.waiting import until

if TYPE_CHECKING:
    from tests.chaos.ledger import Message
    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

_SUBSCRIBES_WITHIN_S: Final = 20.0


async def subscribers_killed(stage: Stage) -> Outcome:
    """All subscriptions are killed, and plain messages follow at once, which nobody hears."""
    nodes = await stage.set_up(nodes=2)
    await stage.publish("plain", "lib")
    await stage.play(0.4)
    plain = stage.presses["plain"]
    await plain.pause()
    plain.audience = Audience.NOBODY
    before = await _subscribers(stage)
    heard = await _kill_and_publish(stage)
    plain.resume()

    async def are_back() -> bool:
        return len(await _subscribers(stage) - before) >= len(nodes)

    await until(are_back, "all nodes have subscribed again", within_s=_SUBSCRIBES_WITHIN_S)
    plain.audience = Audience.MEMBERS
    await stage.play(0.6)
    tally = await stage.finish()
    return close(
        tally,
        Check(f"{heard} subscribers heard the plain message", heard == 0),
        Check(f"{tally.admitted} missing and said to be", tally.admitted > 0),
        twice=stage.plan.twice,
    )


async def _kill_and_publish(stage: Stage) -> int:
    """Kill all subscriptions and publish to each room, in one step. Return who heard it."""
    messages: list[Message] = []
    async with stage.redis.pipeline(transaction=True) as pipeline:
        pipeline.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        for room in ROOMS:
            message = stage.ledger.begin("plain", room, now_ms(), Audience.NOBODY)
            records = body(message.id, message.publisher, message.number)
            pipeline.publish(RECORDS, plain_text(room, records))
            messages.append(message)
        _killed, *heard = await pipeline.execute()
    for message in messages:
        message.returned_ms = now_ms()
    return sum(heard)


async def _subscribers(stage: Stage) -> set[str]:
    """Ids of the connections that subscribe."""
    return {client["id"] for client in await stage.redis.client_list(_type="pubsub")}


async def restarted_empty(stage: Stage) -> Outcome:
    """Redis is killed and started again: it knows the tokens, as after page loads, and no more."""
    await stage.set_up()
    await stage.publish("lib")
    await stage.play(0.4)
    lib = stage.presses["lib"]
    await lib.pause()
    # Who was away when it was published gets it only if Redis lives until he is back.
    stage.ledger.excuse(now_ms() - 2000 * stage.plan.pace.offline_s)
    await asyncio.to_thread(stage.redis_server.kill)
    await asyncio.to_thread(stage.redis_server.start)
    lib.resume()
    await stage.play(0.6)
    tally = await stage.finish()
    trails = [receipts.trail for receipts in stage.crowd.receipts]
    renewed = sum(len(trail.epochs) > 1 for trail in trails)
    return close(
        tally,
        Check(f"{renewed} of {len(trails)} clients in a new epoch", renewed == len(trails)),
        twice=stage.plan.twice,
    )


async def stopped(stage: Stage) -> Outcome:
    """Redis answers nothing for a while, and goes on."""
    await stage.set_up()
    await stage.publish("lib")
    await stage.play(0.3)
    await asyncio.to_thread(stage.redis_server.pause)
    await asyncio.sleep(stage.plan.pause_s)
    stage.redis_server.resume()
    await stage.play(0.7)
    return close(await stage.finish(), twice=stage.plan.twice)
