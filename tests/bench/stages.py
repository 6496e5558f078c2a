"""The stages of a run: clients that talk websocket, clients that poll, idle clients.

Every stage starts its servers anew, so that none inherits another one's memory. All servers are
up at the same time, each with a Redis of its own.
"""

from collections.abc import Sequence
from typing import Final

from tests.bench import loads
from tests.bench.lanes import Lane, open_lanes
from tests.bench.polling import Poller
from tests.bench.run import Run
from tests.bench.servers import FLOOR, NODE_OFF, OURS_OFF
from tests.bench.websocket import Websocket

_WARM_UP_MESSAGES: Final = 20  # 20,000 deliveries: Node has compiled what it will compile
_WARM_UP_CLIENTS: Final = 500


def run_stages(run: Run) -> None:
    """Run the stages that have a wanted figure."""
    if run.wants("delivery", "rss", "user", "latency", "connect"):
        _websocket(run)
    if run.wants("poll-delivery", "poll-user", "poll-connect"):
        _polling(run)
    if run.wants("memory", "idle", "drop", "bystander"):
        _crowd(run)


def _websocket(run: Run) -> None:
    plan = run.plan
    with open_lanes(run.servers, Websocket, plan.clients, run.directory) as lanes:
        relays = [lane for lane in lanes if lane.name != FLOOR]
        _gather(run, lanes)
        run.rounds(
            "delivery",
            lanes,
            plan.delivery_rounds,
            lambda lane: loads.deliveries(lane, plan.messages_for(lane.name)),
        )
        run.rounds("rss", relays, 1, lambda lane: lane.server.rss_bytes())
        _users_and_connects(run, relays, "user", "connect")
        run.rounds(
            "latency",
            relays,
            plan.rounds,
            lambda lane: loads.p99_latency(lane, plan.latency_s),
        )


def _polling(run: Run) -> None:
    plan = run.plan
    with open_lanes(run.relays, Poller, plan.clients, run.directory) as lanes:
        _gather(run, lanes)
        run.rounds(
            "poll-delivery",
            lanes,
            plan.rounds,
            lambda lane: loads.deliveries(lane, plan.poll_messages),
        )
        _users_and_connects(run, lanes, "poll-user", "poll-connect")


def _gather(run: Run, lanes: Sequence[Lane]) -> None:
    """Connect all clients, and deliver until the code is warm."""
    for lane in lanes:
        run.say(f"{lane.name}: {run.plan.clients} clients")
        loads.connects(lane, run.plan.clients)
        loads.deliveries(lane, _WARM_UP_MESSAGES)


def _users_and_connects(run: Run, lanes: Sequence[Lane], user: str, connect: str) -> None:
    """Measure the figures that are the same for websocket and polling but for their names."""
    plan = run.plan
    if run.wants(user):
        for lane in lanes:
            loads.user_messages(lane, plan.clients)  # to warm up
    run.rounds(
        user, lanes, plan.rounds, lambda lane: loads.user_messages(lane, plan.user_messages)
    )
    run.rounds(connect, lanes, plan.rounds, lambda lane: _reconnects(lane, plan.clients))


def _reconnects(lane: Lane, clients: int) -> float:
    lane.crowd.leave()
    lane.calm_down()
    return loads.connects(lane, clients)


def _crowd(run: Run) -> None:
    plan = run.plan
    # What a server remembers of messages makes no difference to clients that get none.
    names = [name for name in run.relays if name not in {OURS_OFF, NODE_OFF}]
    with open_lanes(names, Websocket, plan.crowd + 1, run.directory) as lanes:
        for lane in lanes:
            loads.connects(lane, _WARM_UP_CLIENTS)
            lane.crowd.leave()
            lane.calm_down()
        # Once: a process that has had such a crowd before does not grow as much again.
        for lane in lanes:
            run.say(f"memory: {lane.name}")
            run.samples.add("memory", lane.name, loads.memory(lane, plan.crowd))
        if run.wants("idle"):
            _idle(run, lanes)
        if run.wants("drop", "bystander"):
            for number in range(1, plan.drop_rounds + 1):
                for lane in lanes:
                    run.say(f"drop: round {number} of {plan.drop_rounds}, {lane.name}")
                    lane.crowd.grow(plan.crowd + 1)
                    lane.calm_down()
                    cpu_s, longest_echo_s = loads.drop(lane)
                    run.samples.add("drop", lane.name, cpu_s)
                    run.samples.add("bystander", lane.name, longest_echo_s)


def _idle(run: Run, lanes: Sequence[Lane]) -> None:
    """Watch all servers at the same time: together they use a few per cent of one core."""
    seconds = run.plan.idle_s
    run.say(f"idle: {seconds:g} s")
    before = [lane.server.cpu_s() for lane in lanes]
    lanes[0].pump.run(seconds)
    for lane, cpu_s in zip(lanes, before, strict=True):
        run.samples.add("idle", lane.name, (lane.server.cpu_s() - cpu_s) / seconds)
