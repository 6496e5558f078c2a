"""Live updates beside Matrix bots that point nowhere."""

import socket
from typing import Final

import redis

from publisher import Publisher
from publisher.settings import Settings
from tests.bench import loads
from tests.bench.lanes import Lane, open_lanes
from tests.bench.run import Run
from tests.bench.servers import OURS, QUIET
from tests.bench.websocket import Websocket

_BOTS: Final = 10
_WARM_UP_MESSAGES: Final = 20
_HTML: Final = f"<h1>News</h1><p>{'All about the proposal. ' * 80}</p>"
_OUTBOX: Final = "{channel_server}:outbox"


def run_bots(run: Run) -> None:
    """Measure the figures of the bots that are wanted."""
    if not run.wants("bots-latency"):
        return
    plan = run.plan
    with (
        socket.create_server(("127.0.0.1", 0), backlog=64) as black_hole,
        open_lanes([OURS, OURS], Websocket, plan.clients, run.directory) as (busy, quiet),
    ):
        for lane in (busy, quiet):
            loads.connects(lane, plan.clients)
            loads.deliveries(lane, _WARM_UP_MESSAGES)
        _point_bots_at(black_hole.getsockname()[1], busy)
        for number in range(1, plan.rounds + 1):
            run.say(f"bots-latency: round {number} of {plan.rounds}")
            for name, lane in ((OURS, busy), (QUIET, quiet)):
                run.samples.add("bots-latency", name, loads.p99_latency(lane, plan.latency_s))


def _point_bots_at(port: int, lane: Lane) -> None:
    """Have bots send messages to a server that accepts connections, and reads and says nothing."""
    with (
        Publisher(Settings(url=lane.redis_url)) as publisher,
        redis.Redis.from_url(lane.redis_url) as client,
    ):
        for number in range(_BOTS):
            config = {
                "server": f"http://127.0.0.1:{port}",
                "access_token": f"token-{number}",
                "channel": f"!{number}:nowhere",
            }
            publisher.chatbots.publish(config, _HTML)
        lane.pump.until(lambda: client.xlen(_OUTBOX) == _BOTS, "ten messages that wait")
