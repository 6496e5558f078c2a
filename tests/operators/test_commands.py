"""`channel-server info`, `drain` and `bench`, against running servers."""

import contextlib
import json
import threading

import psutil
import pytest

from tests.bench.servers import NODE, Relay
from tests.bench.store import Store
from tests.integration.pages import pages_of
from tests.integration.program import run
from tests.internal.site import KEY, Server
from tests.operators.stubs import answering
from tests.ports import free_port
from tests.servers import wait_until

pytestmark = [pytest.mark.redis]


@pytest.fixture
def server(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as running:
        yield running.wait_ready()


def command(server, *arguments, **settings):
    return run(
        *arguments, **({"ADMIN_PORT": str(server.admin_port), "ADMIN_API_KEY": KEY} | settings)
    )


def test_info_for_people_and_for_programs(server):
    table, document = command(server, "info"), command(server, "info", "--json")

    assert table.returncode == document.returncode == 0, table.stderr
    assert "status" in table.stdout
    assert json.loads(document.stdout)["status"] == "ok"
    assert KEY not in table.stdout + document.stdout


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"ADMIN_API_KEY": "another key of 16"}, "the key is wrong"),
        ({"ADMIN_API_KEY": ""}, "the key is missing"),
        ({"ADMIN_PORT": "1"}, "nobody listens there: does the server run"),
        ({"ADMIN_PORT": "0"}, "ADMIN_PORT=0 switches the internal port off"),
    ],
)
def test_who_cannot_ask_is_told_why(server, settings, said):
    done = command(server, "info", **settings)

    assert done.returncode == 1
    assert said in done.stderr
    assert "another key" not in done.stderr


def test_another_program_on_the_port():
    with answering(body="hello") as url:
        done = run("info", ADMIN_PORT=url.rpartition(":")[2], PORT="0")

    assert done.returncode == 1
    assert "that is not the internal port of a server" in done.stderr


@pytest.mark.parametrize("order", ["info", "drain"])
def test_another_program_that_speaks_json(order):
    with answering(body='{"node": 1}', headers=(("Content-Type", "application/json"),)) as url:
        done = run(order, ADMIN_PORT=url.rpartition(":")[2], PORT="0")

    assert done.returncode == 1
    assert "another program answers" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_has_no_api(tmp_path):
    settings = {"PRIVATE_APP_URL": "http://127.0.0.1:1", "COLLAB_PORT": "0"}
    with Server(tmp_path, "collab", **settings) as server:
        done = command(server, "info")

    assert done.returncode == 1
    assert "it has no API" in done.stderr


def test_two_ports_that_are_one():
    done = run("check-config", PORT="15010", ADMIN_PORT="15010")

    assert done.returncode == 2
    assert "ADMIN_PORT must be another port than PORT" in done.stderr


def test_who_has_been_on_5001_for_years_need_not_know_of_another_port():
    done = run("check-config", PORT="5001")

    assert done.returncode == 0
    assert "5002" in done.stdout


def test_drain_returns_when_the_server_is_gone(server):
    done = command(server, "drain")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "draining 0 clients\n"
    assert server.process.wait(10) == 0


@pytest.mark.asyncio
async def test_drain_that_takes_too_long_is_an_error(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, DRAIN_DELAY_SECONDS="30") as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter("unknown")

            done = run("drain", "--wait", "1", ADMIN_PORT=str(server.admin_port))

    assert done.returncode == 1
    assert "still there after 1 seconds" in done.stderr


def test_bench_publishes_and_loses_nothing(server, redis_server):
    done = run(
        "bench",
        server.url,
        "--clients=50",
        "--seconds=1",
        "--publish=20",
        REDIS_URL=redis_server.url,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "50 of 50" in done.stdout
    assert "20, to be received 1000 times" in done.stdout
    assert "publish to receive" in done.stdout
    with redis_server.client() as redis:
        assert redis.keys("/current_users/*load*") == []


def test_bench_measures_the_program_that_we_replace(tmp_path):
    """Any Socket.IO server will do; this one hears the same Redis."""
    with contextlib.ExitStack() as stack:
        store = Store(tmp_path)
        stack.callback(store.stop)
        store.until(store.is_listening, "redis-server")
        node = Relay(NODE, store.url, tmp_path)
        stack.callback(node.stop)
        node.until_ready()

        url = f"http://127.0.0.1:{node.port}"
        done = run(
            *("bench", url, "--clients=20", "--seconds=1", "--publish=10"), REDIS_URL=store.url
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "10, to be received 200 times" in done.stdout


def test_bench_that_publishes_to_another_redis_says_so(server, new_redis_server):
    other = new_redis_server()

    done = run(
        "bench", server.url, "--clients=2", "--seconds=0.2", "--publish=10", REDIS_URL=other.url
    )

    assert done.returncode == 1
    assert "is REDIS_URL that of the server?" in done.stdout


def test_bench_says_what_failed():
    with answering(503, upgrade=503) as url:
        done = run("bench", url, "--clients=5", "--seconds=0")

    assert done.returncode == 1
    assert "0 of 5" in done.stdout
    assert "5 x status 503" in done.stdout


def test_bench_against_nobody():
    done = run("bench", f"http://127.0.0.1:{free_port()}", "--clients=2", "--seconds=0")

    assert done.returncode == 1
    assert "2 x ClientConnectorError" in done.stdout


def clients_of(server):
    """How many connections its public port has."""
    port = int(server.url.rpartition(":")[2])
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    return sum(one.laddr.port == port and one.status == "ESTABLISHED" for one in connections)


def test_bench_notices_a_server_that_goes_away(server):
    def stop_it():
        wait_until(lambda: clients_of(server) >= 20, within_s=20, what="20 clients are there")
        server.stop()

    stopper = threading.Thread(target=stop_it)
    stopper.start()
    done = run("bench", server.url, "--clients=20", "--seconds=8")
    stopper.join()

    assert done.returncode == 1
    assert "20 x closed by the server" in done.stdout


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://localhost", "http://"])
def test_bench_needs_an_address(url):
    done = run("bench", url)

    assert done.returncode == 1
    assert "give an address like http://localhost:5000" in done.stderr


def test_bench_has_no_more_clients_than_descriptors():
    done = run("bench", "http://localhost:1", "--clients=100000")

    assert done.returncode == 1
    assert "raise the limit" in done.stderr
