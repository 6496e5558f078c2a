"""What the server says of itself, and how it goes away."""

import asyncio
import http.client
import itertools
import json
import signal
import time

import pytest

from publisher.contract.journal import JOURNAL, LEASE, NODES
from tests.faults.link import Link
from tests.integration.pages import pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

STOPS_WITHIN_S = 15


@pytest.fixture
def own_redis(new_redis_server):
    return new_redis_server()


def ready(server):
    """Status and text of ``GET /ready``; None if the port is closed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("GET", "/ready")
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())["status"]
    except OSError:
        return None
    finally:
        connection.close()


async def test_a_broken_journal_is_degraded_and_messages_go_on(own_redis, tmp_path):
    """503 would take all servers away at once, for something that none of them can help."""
    with (
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url) as server,
    ):
        site = Site(redis)
        account = site.sign_in()
        server.wait_ready()
        assert ready(server) == (200, "ok")
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)

            redis.set(JOURNAL, "not a stream")
            packet = site.publish(account.room, 1)
            assert await page.got() == [packet]
            await until(lambda: ready(server) == (200, "degraded"), "it says so")
            late = await pages.enter(account.token)
            packet = site.publish(account.room, 2)
            assert await page.got() == await late.got() == [packet]

            redis.delete(JOURNAL)
            await until(lambda: ready(server) == (200, "ok"), "it works again")
            packet = site.publish(account.room, 3)
            assert await page.got() == await late.got() == [packet]
        assert [len(server.lines(text)) for text in ("degraded", "works again")] == [1, 1]
        assert "reason=WRONGTYPE" in server.lines("degraded")[0]


async def test_a_server_that_starts_beside_a_broken_journal_delivers(own_redis, tmp_path):
    with own_redis.client() as redis:
        redis.set(JOURNAL, "not a stream")
        site = Site(redis)
        account = site.sign_in()
        with Program(tmp_path, REDIS_URL=own_redis.url) as server:
            server.wait_ready()
            assert ready(server) == (200, "degraded")
            async with pages_of(server.port) as pages:
                page = await pages.enter(account.token)
                packet = site.publish(account.room)
                assert await page.got() == [packet]


async def test_a_subscription_that_does_not_answer_is_not_ready(own_redis, tmp_path):
    with (
        Link(own_redis.socket) as link,
        Program(tmp_path, REDIS_URL=f"redis://127.0.0.1:{link.port}", PROBE_SECONDS="1") as server,
    ):
        server.wait_ready()

        own_redis.pause()
        await until(
            lambda: ready(server)[0] == 503, "a probe is overdue, or the connection is lost"
        )
        assert server.status("/live") == 200
        own_redis.resume()
        await until(lambda: ready(server) == (200, "ok"), "it answers again")


async def test_who_is_told_to_stop_says_so_goes_on_and_sends_clients_away_bit_by_bit(
    own_redis, tmp_path
):
    settings = {"DRAIN_DELAY_SECONDS": "1", "DRAIN_SECONDS": "2"}
    with (
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url, **settings) as server,
    ):
        site = Site(redis)
        account = site.sign_in()
        server.wait_ready()
        async with pages_of(server.port) as pages:
            crowd = [await pages.enter(account.token) for _ in range(40)]
            poller = await pages.enter(account.token, "polling")

            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: ready(server) == (503, "draining"), "it says so")
            packet = site.publish(account.room)
            assert await poller.got() == [packet]
            assert [await page.got() for page in crowd] == [[packet]] * 40

            left = []
            for page in crowd:
                await page.closed()
                left.append(time.monotonic() - began)
            assert left[0] >= 0.9
            assert left[-1] - left[0] >= 1.5
            assert all(late - early < 0.5 for early, late in itertools.pairwise(left))

        assert await asyncio.to_thread(server.process.wait, STOPS_WITHIN_S) == 0
        assert not redis.exists(LEASE, NODES)
        assert "Traceback" not in server.output()


async def test_new_sessions_are_refused_while_old_ones_are_served(own_redis, tmp_path):
    settings = {"DRAIN_DELAY_SECONDS": "0", "DRAIN_SECONDS": "5"}
    with (
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url, **settings) as server,
    ):
        site = Site(redis)
        account = site.sign_in()
        server.wait_ready()
        async with pages_of(server.port) as pages:
            crowd = [await pages.enter(account.token) for _ in range(100)]

            server.process.send_signal(signal.SIGTERM)
            await crowd[0].closed()

            assert server.status("/socket.io/?EIO=4&transport=polling") == 503
            packet = site.publish(account.room)
            assert await crowd[-1].got() == [packet]
            server.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_who_is_told_twice_goes_at_once(own_redis, tmp_path, number):
    settings = {"DRAIN_DELAY_SECONDS": "60", "DRAIN_SECONDS": "60"}
    with Program(tmp_path, REDIS_URL=own_redis.url, **settings) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter(None)
            server.process.send_signal(number)
            await until(lambda: ready(server) == (503, "draining"), "it drains")

            began = time.monotonic()
            server.process.send_signal(number)

            assert await asyncio.to_thread(server.process.wait, STOPS_WITHIN_S) == 0
            assert time.monotonic() - began < 2


async def test_without_clients_nothing_is_waited_for(own_redis, tmp_path):
    settings = {"DRAIN_DELAY_SECONDS": "60", "DRAIN_SECONDS": "60"}
    with Program(tmp_path, REDIS_URL=own_redis.url, **settings) as server:
        server.wait_ready()

        assert server.stop() == 0


async def test_memory_is_bounded_while_one_room_gets_ten_times_what_can_be_delivered(
    own_redis, tmp_path
):
    """Clients that do not read, a publisher that does not stop, and a journal of 16 MiB."""
    settings = {"JOURNAL_MIB": "16", "WRITE_LIMIT_KIB": "256", "WRITE_SECONDS": "1"}
    with (
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url, **settings) as server,
    ):
        # Else Redis itself hangs up who is 32 MB behind, and what is published then is a gap.
        redis.config_set("client-output-buffer-limit", "pubsub 0 0 0")
        site = Site(redis)
        account, other = site.sign_in(), site.sign_in()
        server.wait_ready()
        async with pages_of(server.port) as pages:
            for _ in range(50):
                await pages.enter(account.token)
            bystander = await pages.enter(other.token)
            before = server.rss_bytes
            message = {"room": account.room, "records": {"x": "x" * 20_000}}
            payload = json.dumps(message).encode()
            largest = 0
            for _ in range(40):  # 80 MB to each of 50 clients: 4 GB
                with redis.pipeline(transaction=False) as burst:
                    for _ in range(100):
                        burst.publish("/records", payload)
                    await asyncio.to_thread(burst.execute)
                largest = max(largest, server.rss_bytes)
            packet = site.publish(other.room)
            assert await bystander.got(within_ms=30_000) == [packet]

        assert largest - before < 160 << 20
        assert server.lines("overrun") == []
        assert "Traceback" not in server.output()
