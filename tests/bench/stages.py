"""The stages of a run: clients that talk websocket, clients that poll, idle clients.

Every stage starts its servers anew, so that none inherits another one's memory.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tests.bench import loads
from tests.bench.client import Client
from tests.bench.lanes import Lane, open_lanes
from tests.bench.polling import Poller
from tests.bench.run import Run
from tests.bench.scraping import EVERY_S as SCRAPED_EVERY_S
from tests.bench.servers import FLOOR, NODE_OFF
from tests.bench.websocket import Websocket

_WARM_UP_MESSAGES: Final = 20  # 20,000 deliveries: Node has compiled what it will compile
_WARM_UP_CLIENTS: Final = 500
_SCRAPES: Final = 2  # in a ping interval, 25 s


def run_stages(run: Run) -> None:
    """Run the stages that have a wanted figure."""
    if run.wants("delivery", "rss", "user", "latency", "connect"):
        _in_turns(run, run.servers, Websocket, _websocket)
    if run.wants("poll-delivery", "poll-user", "poll-connect"):
        _in_turns(run, run.relays, Poller, _polling)
    if run.wants("memory", "idle", "drop", "bystander"):
        _crowd(run)


def _in_turns(
    run: Run,
    names: Sequence[str],
    kind: type[Client],
    measure: Callable[[Run, Lane], None],
) -> None:
    """Measure all servers in every round, so that a noisy minute of the machine hits them alike.

    Each is started for it and has the machine to itself, with its Redis and the driver: there
    are two cores, and what five idle servers with 1,000 clients each do beside makes all of them
    dearer by a seventh, and no two of them equally (docs/decisions/0014).
    """
    plan = run.plan
    for number in range(1, plan.rounds + 1):
        for name in names:
            run.say(f"round {number} of {plan.rounds}: {plan.clients} clients of {name}")
            with open_lanes([name], kind, plan.clients, run.directory) as (lane,):
                loads.connects(lane, plan.clients)
                loads.deliveries(lane, _WARM_UP_MESSAGES)
                measure(run, lane)


def _websocket(run: Run, lane: Lane) -> None:
    plan, name = run.plan, lane.name
    messages = plan.messages_for(name)
    run.measure("delivery", name, lambda: loads.deliveries(lane, messages))
    if name != FLOOR:
        run.measure("rss", name, lane.server.rss_bytes)
        _users_and_connects(run, lane, "user", "connect")
        run.measure("latency", name, lambda: loads.p99_latency(lane, plan.latency_s))


def _polling(run: Run, lane: Lane) -> None:
    messages = run.plan.poll_messages
    run.measure("poll-delivery", lane.name, lambda: loads.deliveries(lane, messages))
    _users_and_connects(run, lane, "poll-user", "poll-connect")


def _users_and_connects(run: Run, lane: Lane, user: str, connect: str) -> None:
    """Measure the figures that are the same for websocket and polling but for their names."""
    plan = run.plan
    if run.wants(user):
        loads.user_messages(lane, plan.clients)  # to warm up
    run.measure(user, lane.name, lambda: loads.user_messages(lane, plan.user_messages))
    if run.wants(connect):
        _reconnects(lane, plan.clients)  # to warm up
    run.measure(connect, lane.name, lambda: _reconnects(lane, plan.clients))


def _reconnects(lane: Lane, clients: int) -> float:
    lane.crowd.leave()
    lane.calm_down()
    return loads.connects(lane, clients)


def _crowd(run: Run) -> None:
    plan = run.plan
    # What Node remembers in its memory makes no difference to clients that get nothing.
    names = [name for name in run.relays if name != NODE_OFF]
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
            for number in range(1, plan.idle_rounds + 1):
                run.say(f"idle: round {number} of {plan.idle_rounds}")
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
    """Watch all servers at the same time: together they use a few per cent of one core.

    Our metrics are scraped meanwhile, as those of a site are.
    """
    before = [lane.server.cpu_s() for lane in lanes]
    for _ in range(_SCRAPES):
        lanes[0].pump.run(SCRAPED_EVERY_S)
        for lane in lanes:
            lane.server.scrape()
    for lane, cpu_s in zip(lanes, before, strict=True):
        spent_s = lane.server.cpu_s() - cpu_s
        run.samples.add("idle", lane.name, spent_s / (_SCRAPES * SCRAPED_EVERY_S))
