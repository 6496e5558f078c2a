"""Load: many connected browsers, one publisher, every message timed and counted.

``make load`` does all of this by itself, against a server that it starts. Against a server of
your own, from the root of the repository, with the REDIS_URL of that server (``make run`` prints
it)::

    REDIS_URL=redis://localhost:6379/0 .venv/bin/locust -f tests/load/locustfile.py \
        --headless --users 500 --spawn-rate 50 --run-time 60s --host http://localhost:5000

Without ``--headless``, ``--users``, ``--spawn-rate`` and ``--run-time`` locust serves a page at
http://localhost:8089: there you say how many users, start, watch its charts, and start again.

One of the users publishes. The others listen, each in one of the groups, as Loomio's page does:
they poll first and upgrade to a WebSocket. Some can only poll (``--polling-share``). Now and then
each loses its network without a word (``--cut-every``), returns after a second with what the
stock client remembers, and must get all that was published meanwhile, once, in order.
``--help`` ends with these options.

The rows of the report:

- ``SIO publish to receive``: from just before PUBLISH to the receiver, in ms. Failures are
  messages that were lost, or that came twice or out of order. The figure includes the time that
  the message waited in this process, which is a good part of it once a core is busy;
- ``SIO publish to receive, after a cut``: the same for messages that were published before the
  listener was back, which is nearly all of the time that they took;
- ``SIO connect``: Engine.IO and Socket.IO handshakes by polling, token look-up included;
- ``SIO upgrade``: from the first byte of the WebSocket until it has replaced polling;
- ``SIO recover``: the same as ``connect``, for a listener that returns. Failures are listeners
  that could not return, and ``not recovered``: the server says by a new ``pid`` that messages
  may be missing;
- ``SIO connection``: connections that ended though nobody cut them, all of them failures. They
  are opened again, too;
- ``Redis publish records``: the PUBLISH command alone.

At the end listeners wait for what is under way, up to ten seconds (``--patience``): one may be away
just then, and wait to be let in again. What is still missing is lost. The exit code is not 0 if anything failed, or if nothing was received.
Everything runs in one process, on the server's machine: the clock and the count of messages are
not shared with others. Listeners close their sockets, so the server sees them go; networks that
do not even tell that they are gone belong to ``make chaos``.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
from locust import events
from locust.runners import LocalRunner

from publisher import Publisher
from publisher.errors import ConfigError
from tests.load.feeder import Feeder
from tests.load.findings import Findings, rows_of
from tests.load.listener import Listener
from tests.load.participant import CATCH_UP, DELIVERY, PUBLISH, RECOVER, Participant, Run

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from locust.env import Environment

__all__ = ["Feeder", "Listener"]  # locust takes the users from here


@events.init_command_line_parser.add_listener
def add_options(parser: ArgumentParser, **_: Any) -> None:
    """Add what a load test of ours can be told."""
    parser.add_argument("--groups", type=int, default=10, help="Groups to publish to.")
    parser.add_argument(
        "--publish-rate",
        type=float,
        default=20.0,
        help="Messages per second, all groups together.",
    )
    parser.add_argument(
        "--record-bytes", type=int, default=1000, help="Length of the text in each record."
    )
    parser.add_argument(
        "--cut-every",
        type=float,
        default=30.0,
        help="Seconds after which a listener loses its network and returns; 0: never.",
    )
    parser.add_argument(
        "--polling-share",
        type=float,
        default=0.1,
        help="Share of the listeners that cannot upgrade from polling, from 0 to 1.",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=10.0,
        help="Seconds after the end; what has not arrived by then is lost.",
    )
    parser.add_argument(
        "--findings",
        type=Path,
        default=None,
        help="File for what was found, in JSON.",
        include_in_web_ui=False,
    )


@events.init.add_listener
def prepare(environment: Environment, **_: Any) -> None:
    """Make the publisher; nothing connects before the first token is issued."""
    if not isinstance(environment.runner, LocalRunner):
        sys.exit("this load test runs in one process: leave out --processes, --master, --worker")
    try:
        Participant.publisher = Publisher.from_env(os.environ)
    except ConfigError as error:
        sys.exit(f"configuration: {error}")
    begin(environment)
    # With locust's page, the test's end is not the end of the process.
    if environment.parsed_options.headless:
        _stop_at_ctrl_c(environment)


def _stop_at_ctrl_c(environment: Environment) -> None:
    """Let Ctrl-C end the test as its end of time does; a second one ends the process at once.

    Python raises KeyboardInterrupt in whichever greenlet runs: in a listener's, it would cost a
    message, or leave a token behind.
    """

    def stop() -> None:
        handler.cancel()
        environment.runner.quit()

    handler = gevent.signal_handler(signal.SIGINT, stop)


@events.test_start.add_listener
def begin(environment: Environment, **_: Any) -> None:
    """Take new groups: a second test from locust's page starts at number 1 again."""
    Participant.run_now = Run(environment.parsed_options.groups, start_s=time.monotonic())


@events.request.add_listener
def note(
    request_type: str,
    name: str,
    response_time: float | None,
    exception: Exception | None,
    **_: Any,
) -> None:
    """Note in the timeline what the pictures show."""
    run = Participant.run_now
    row = (request_type, name)
    now_s = time.monotonic()
    if row == PUBLISH:
        run.timeline.published(now_s, online=run.online)
    elif row == DELIVERY and response_time is not None:
        run.timeline.received(now_s, response_time)
    elif row == CATCH_UP:
        run.timeline.caught_up(now_s)
    elif row == RECOVER and exception is None:
        run.timeline.recovered(now_s)


@events.quitting.add_listener
def judge(environment: Environment, **_: Any) -> None:
    """Fail the process if messages were lost, or if there were none."""
    # At SIGTERM locust asks for the exit code before it stops the users, who count the losses.
    environment.runner.stop()
    Participant.publisher.close()
    run = Participant.run_now
    counted = [environment.stats.get(name, kind) for kind, name in (DELIVERY, CATCH_UP)]
    received = sum(row.num_requests for row in counted) - run.lost
    print(f"received {received}, lost {run.lost}", file=sys.stderr)
    if environment.parsed_options.findings:
        rows = rows_of(environment.stats)
        findings = Findings(received, run.lost, rows, run.timeline.moments())
        findings.write(environment.parsed_options.findings)
    if any(row.num_failures for row in counted) or not received:
        environment.process_exit_code = 1
