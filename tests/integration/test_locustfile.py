"""The load test itself, tested: what it measures is there, and what it must notice it notices."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.meddlers import Forgetter, Liar
from tests.load.ledger import Fault, Ledger, Receipts
from tests.servers import binary, start_channel_server, stop, wait_until

ROOT = Path(__file__).parents[2]
USERS = 20
ENDS_WITHIN_S = 30


class Outcome(NamedTuple):
    """What a load test left behind: its exit code, rows of the report by name, standard error."""

    code: int
    rows: dict
    log: str


@pytest.fixture
def server(redis_server):
    started = start_channel_server({"REDIS_URL": redis_server.url})
    yield started
    stop(started.process)


@pytest.fixture
def start_locust(redis_server):
    """Start a load test: ``start_locust(url, "--cut-every", "2", run_time_s=5)``.

    It is ended after the test.
    """
    processes = []

    def start(url, *options, run_time_s):
        command = [binary("locust"), "--locustfile", "tests/load/locustfile.py", "--headless"]
        command += ["--users", str(USERS), "--spawn-rate", str(USERS), "--json"]
        command += ["--run-time", f"{run_time_s}s", "--host", url, *options]
        env = {name: value for name, value in os.environ.items() if name != "REDIS_CACHE_URL"}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env | {"REDIS_URL": redis_server.url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def outcome(process):
    """Wait for the end of a load test."""
    report, log = process.communicate(timeout=ENDS_WITHIN_S)
    return Outcome(process.returncode, {row["name"]: row for row in json.loads(report)}, log)


def wait_until_under_way(listener):
    """Wait until so much is published that all listeners must have joined long ago."""
    messages = []

    def is_under_way():
        messages.extend(listener.heard())
        return len(messages) > 2 * USERS

    wait_until(is_under_way, within_s=20, what="a load test publishes")


@pytest.mark.redis
@pytest.mark.slow
def test_a_healthy_server_loses_nothing_and_every_delivery_is_timed(server, start_locust):
    """What an operator sees when all is well, however often browsers are cut off."""
    often = ("--cut-every", "2", "--polling-share", "0.5")

    ended = outcome(start_locust(server.url, *often, run_time_s=5))

    delivery = ended.rows["publish to receive"]
    late = ended.rows["publish to receive, after a cut"]
    assert ended.code == 0, ended.log
    assert "lost 0" in ended.log
    assert delivery["num_failures"] == late["num_failures"] == 0
    assert delivery["num_requests"] > USERS
    assert late["num_requests"] > 0
    assert 0 < delivery["total_response_time"] / delivery["num_requests"] < 1000
    assert ended.rows["connect"]["num_requests"] == USERS - 1
    assert ended.rows["recover"]["num_requests"] > 0
    assert ended.rows["recover"]["num_failures"] == 0
    connections = USERS - 1 + ended.rows["recover"]["num_requests"]
    assert 0 < ended.rows["upgrade"]["num_requests"] < connections  # some can only poll


@pytest.mark.redis
@pytest.mark.slow
def test_no_token_stays_in_redis(redis_server, server, start_locust):
    """The Redis may be the operator's own. Ctrl-C must clean up as the end of the time does."""
    with redis_server.client() as redis, redis_server.listen("/records") as listener:
        before = set(redis.keys("/current_users/*"))
        locust = start_locust(server.url, run_time_s=60)
        wait_until_under_way(listener)
        locust.send_signal(signal.SIGINT)

        ended = outcome(locust)

        assert ended.code == 0, ended.log
        assert set(redis.keys("/current_users/*")) == before


@pytest.mark.redis
@pytest.mark.slow
def test_messages_that_a_dead_server_cannot_deliver_fail_the_load_test(
    redis_server, server, start_locust
):
    """A load test in CI must turn red by itself."""
    with redis_server.listen("/records") as listener:
        calm = ("--cut-every", "0", "--patience", "1")
        locust = start_locust(server.url, *calm, run_time_s=5)
        wait_until_under_way(listener)
        server.process.kill()
        ended = outcome(locust)

    assert ended.code == 1
    assert ended.rows["connection"]["num_failures"] == USERS - 1
    assert ended.rows["publish to receive"]["num_failures"] > 0
    assert "lost 0" not in ended.log


@pytest.mark.redis
@pytest.mark.slow
def test_a_single_lost_message_fails_the_load_test(server, start_locust):
    """It is one of some hundreds, and nothing else is wrong."""
    calm = ("--cut-every", "0", "--polling-share", "0", "--patience", "1")

    with Forgetter(server.url) as forgetter:
        ended = outcome(start_locust(forgetter.url, *calm, run_time_s=4))

    assert ended.code == 1
    assert "lost 1" in ended.log
    assert ended.rows["publish to receive"]["num_failures"] == 1


@pytest.mark.redis
@pytest.mark.slow
def test_a_recovery_that_brings_too_little_fails_the_load_test(server, start_locust):
    """Whatever the server says about it."""
    often = ("--cut-every", "1", "--patience", "1")

    with Liar(server.url) as liar:
        ended = outcome(start_locust(liar.url, *often, run_time_s=10))

    assert ended.code == 1
    assert "lost 0" not in ended.log
    assert ended.rows["recover"]["num_requests"] > 0
    assert ended.rows["recover"]["num_failures"] == 0


def publish(ledger, count=1):
    for _ in range(count):
        with ledger.publishing():
            pass


def test_a_skipped_number_is_owed():
    """The server dropped one message and went on."""
    ledger = Ledger()
    receipts = Receipts(ledger)
    publish(ledger, 3)

    faults = [receipts.take(1), receipts.take(3)]

    assert faults == [None, None]
    assert receipts.owed() == {2}


def test_the_last_messages_are_owed_though_no_later_one_shows_the_gap():
    """A server that falls silent is the worst kind of loss."""
    ledger = Ledger()
    receipts = Receipts(ledger)
    publish(ledger, 3)

    receipts.take(1)

    assert receipts.owed() == {2, 3}


def test_what_was_published_before_joining_is_not_owed_and_no_fault_if_it_comes():
    """PUBLISH and CONNECT can pass each other on the way."""
    ledger = Ledger()
    publish(ledger, 2)
    receipts = Receipts(ledger)

    assert receipts.take(2) is None
    assert receipts.owed() == frozenset()


def test_what_redis_did_not_confirm_is_not_owed_and_no_fault_if_it_comes():
    """The answer was lost, not necessarily the message."""
    ledger = Ledger()
    receipts = Receipts(ledger)

    with pytest.raises(OSError, match="gone"), ledger.publishing():
        raise OSError("gone")
    publish(ledger)
    receipts.take(2)

    assert receipts.owed() == frozenset()
    assert receipts.take(1) is Fault.LATE


def test_a_repeated_message_is_a_fault():
    """Delivered at most once is what is promised."""
    ledger = Ledger()
    receipts = Receipts(ledger)
    publish(ledger)

    assert receipts.take(1) is None
    assert receipts.take(1) is Fault.TWICE
