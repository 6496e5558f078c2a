"""Load: many connected browsers, one publisher, every message timed and counted.

Against a server of your own, from the root of the repository::

    channel-server serve                      # REDIS_URL says which Redis
    locust -f tests/load/locustfile.py --headless --users 200 --spawn-rate 50 --run-time 30s \
        --host http://localhost:5000          # with the same REDIS_URL

Against ``make run``, take the REDIS_URL that it prints::

    REDIS_URL=unix:///... locust -f tests/load/locustfile.py ...

One of the users publishes, the others listen, each in one of the groups. Without ``--headless``
locust shows a page to watch it on. The rows of the report:

- ``SIO publish to receive``: from just before PUBLISH to the receiver, in ms. Failures are
  messages that were lost, or that came twice or out of order. The figure includes the time that
  the message waited in this process, which is a good part of it once a core is busy;
- ``SIO connect``: WebSocket, Engine.IO and Socket.IO handshakes, token look-up included;
- ``SIO connection``: connections that ended before the test did. They are not opened again:
  what such a listener misses counts as lost;
- ``Redis publish records``: the PUBLISH command alone.

The exit code is not 0 if a message was lost or none was received. Everything runs in one process,
on the server's machine: the clock and the count of messages are not shared with others.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import gevent
from locust import events
from locust.runners import LocalRunner

from publisher import Publisher
from publisher.errors import ConfigError
from tests.load.feeder import Feeder
from tests.load.listener import Listener
from tests.load.participant import DELIVERY, Participant, Run

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
    Participant.run_now = Run(environment.parsed_options.groups)


@events.quitting.add_listener
def judge(environment: Environment, **_: Any) -> None:
    """Fail the process if messages were lost, or if there were none."""
    # At SIGTERM locust asks for the exit code before it stops the users, who count the losses.
    environment.runner.stop()
    Participant.publisher.close()
    lost = Participant.run_now.lost
    delivery = environment.stats.get(DELIVERY[1], DELIVERY[0])
    received = delivery.num_requests - lost
    print(f"received {received}, lost {lost}", file=sys.stderr)
    if delivery.num_failures or not received:
        environment.process_exit_code = 1
