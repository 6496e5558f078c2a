"""Redis away, silent, slow or unwilling: pages stay, wait, and are never taken for visitors."""

import asyncio
import contextlib
import http
import time

import pytest
import pytest_asyncio

from tests.faults.link import Link
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site, new_id
from tests.servers import redis_debug

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

PROBE_S = 1
LOOKUP_S = 1
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")  # users survive a crash of Redis


@pytest.fixture
def start(tmp_path):
    """Start a server that is ended with the test: ``start(REDIS_URL=...)``."""
    with contextlib.ExitStack() as stack:
        yield lambda **settings: stack.enter_context(Program(tmp_path, **settings))


@pytest.fixture
def own_redis(new_redis_server):
    """A Redis that a test may kill; it keeps its data."""
    return new_redis_server(*DURABLE)


@pytest.fixture
def own_site(own_redis):
    """Publishes to ``own_redis``, and connects again when it has to."""
    with own_redis.client() as connection:
        yield Site(connection)


@pytest_asyncio.fixture
async def open_pages():
    """Open pages of a server: ``await open_pages(server)``."""
    async with contextlib.AsyncExitStack() as stack:

        async def enter(server):
            return await stack.enter_async_context(pages_of(server.port))

        yield enter


def subscribers(site):
    """Ids of the connections that subscribe."""
    return {client["id"] for client in site.redis.client_list(_type="pubsub")}


# ── away ────────────────────────────────────────────────────────────────────────────────────────


async def test_redis_may_come_later_than_the_server(start, own_redis, own_site, open_pages):
    """After a reboot nobody knows which container is first."""
    account = own_site.sign_in()
    own_redis.kill()

    server = start(REDIS_URL=own_redis.url)
    pages = await open_pages(server)

    assert server.status("/live") == http.HTTPStatus.OK
    assert server.status("/ready") == http.HTTPStatus.SERVICE_UNAVAILABLE
    assert (await pages.client.ask("GET", "EIO=4&transport=polling")).status == 503
    assert (await pages.client.upgrade("EIO=4&transport=websocket"))[0].status == 503

    own_redis.start()
    await until(server.is_ready, "the server is ready")
    page = await pages.enter(account.token)
    assert [own_site.publish(account.room)] == await page.got()


async def test_absence_is_logged_once_and_not_at_every_attempt(start, new_redis_server):
    """A night without Redis must not fill the disk."""
    redis_server = new_redis_server("--requirepass", "secret", password="secret")
    redis_server.kill()
    with Link(redis_server.socket) as link:
        # With a password a connection is only a connection when Redis has answered.
        server = start(REDIS_URL=f"redis://:secret@127.0.0.1:{link.port}")
        await until(lambda: len(link.sent) >= 10, "ten attempts")

        assert len(server.lines("Redis away")) == 2  # subscription, commands: the journal waits
        assert len(server.output().splitlines()) == 3

        redis_server.start()
        await until(lambda: len(server.lines("Redis connected")) == 3, "all are back")
        assert len(server.lines("Redis away")) == 2


async def test_pages_stay_while_redis_restarts(start, own_redis, own_site, open_pages):
    """A Redis upgrade: the same sockets go on, and who comes meanwhile waits for its rooms."""
    group = new_id()
    ann, ben = own_site.sign_in(group), own_site.sign_in(group)
    server = start(REDIS_URL=own_redis.url).wait_ready()
    pages = await open_pages(server)
    stay = [await pages.enter(ann.token, each) for each in ("polling", "websocket")]
    visitor = await pages.enter(None)

    own_redis.kill()
    await until(lambda: not server.is_ready(), "the server knows")
    come = [await pages.open(ben.token, each) for each in ("polling", "websocket")]
    for page in come:
        await page.ask()
    replies = [asyncio.create_task(page.connected(WAITS_MS)) for page in come]
    late_visitor = await pages.enter(None)
    assert not any(reply.done() for reply in replies)

    own_redis.start()
    await asyncio.gather(*replies)
    await until(server.is_ready, "the server is ready")
    to_group, to_ben = own_site.publish(f"group-{group}"), own_site.publish(ben.room)
    notice = own_site.publish_notice()
    for page in stay:
        assert await page.got(2, WAITS_MS) == [to_group, notice]
    for page in come:
        assert await page.got(3, WAITS_MS) == [to_group, to_ben, notice]
    assert await visitor.got() == [notice]
    assert await late_visitor.got() == [notice]
    assert len(server.lines("Redis lost")) == 3
    assert "Traceback" not in server.output()


# ── silent ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_look_up_waits_for_a_redis_that_is_slow(
    start, own_redis, own_site, open_pages, transport
):
    """A fork or a slow disk stops Redis for seconds."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url).wait_ready()
    pages = await open_pages(server)

    own_redis.pause()
    page = await pages.open(account.token, transport)
    await page.ask()
    reply = asyncio.create_task(page.connected(WAITS_MS))
    await pages.enter(None, transport)
    assert not reply.done()
    own_redis.resume()

    await reply
    assert [own_site.publish(account.room)] == await page.got()


async def test_a_look_up_that_takes_too_long_sends_the_page_away(
    start, own_redis, own_site, open_pages, transport
):
    """It comes back, with back-off. As a visitor it would wait for records for ever."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url, LOOKUP_SECONDS=str(LOOKUP_S)).wait_ready()
    pages = await open_pages(server)
    page = await pages.open(account.token, transport)

    own_redis.pause()
    began = time.monotonic()
    await page.ask()

    assert await page.closed() in ([], ["1"])  # no CONNECT reply; polling gets a close packet
    assert LOOKUP_S <= time.monotonic() - began < LOOKUP_S + 3
    own_redis.resume()
    page = await pages.enter(account.token, transport)
    assert [own_site.publish(account.room)] == await page.got()


async def test_a_silent_subscription_is_replaced(start, own_redis, own_site, open_pages):
    """Half-open: a firewall has forgotten the connection, and no packet says so."""
    account = own_site.sign_in()
    with Link(own_redis.socket) as link:
        server = start(
            REDIS_URL=f"redis://127.0.0.1:{link.port}", PROBE_SECONDS=str(PROBE_S)
        ).wait_ready()
        pages = await open_pages(server)
        page = await pages.enter(account.token)
        before = subscribers(own_site)

        link.stall()
        began = time.monotonic()
        await until(lambda: subscribers(own_site) - before, "a new subscription")
        assert time.monotonic() - began < 2 * PROBE_S + 1
        await until(server.is_ready, "the server is ready")

        packets = [own_site.publish(account.room, number) for number in range(3)]
        assert await page.got(3) == packets


async def test_a_connection_that_stalls_again_and_again_is_replaced_each_time(
    start, own_redis, own_site, open_pages
):
    with Link(own_redis.socket) as link:
        server = start(
            REDIS_URL=f"redis://127.0.0.1:{link.port}", PROBE_SECONDS=str(PROBE_S)
        ).wait_ready()
        page = await (await open_pages(server)).enter(None)

        for _ in range(2):
            before = subscribers(own_site)
            link.stall()
            await until(lambda old=before: subscribers(own_site) - old, "a new subscription")
            await until(server.is_ready, "the server is ready")
            packet = own_site.publish_notice()
            assert await page.got() == [packet]


# ── connections that break ──────────────────────────────────────────────────────────────────────


async def test_a_killed_subscription_is_replaced(start, own_redis, own_site, open_pages):
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url).wait_ready()
    page = await (await open_pages(server)).enter(account.token)

    for _ in range(3):
        before = subscribers(own_site)
        assert own_site.redis.client_kill_filter(_type="pubsub") == 1
        await until(lambda old=before: subscribers(own_site) - old, "a new subscription")
        await until(server.is_ready, "the server is ready")
        packet = own_site.publish(account.room)
        assert await page.got() == [packet]

    assert len(server.lines("Redis lost")) == 1  # the rest of it within ten seconds is not said


async def test_look_ups_go_on_when_their_connection_is_killed(
    start, own_redis, own_site, open_pages, transport
):
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url).wait_ready()
    pages = await open_pages(server)

    for _ in range(3):
        assert own_site.redis.client_kill_filter(_type="normal", skipme=True) >= 1
        page = await pages.enter(account.token, transport)
        assert [own_site.publish(account.room)] == await page.got()


async def test_look_ups_under_way_survive_a_broken_connection(
    start, own_redis, own_site, open_pages
):
    """All pages of a site return at once, and Redis breaks in the middle."""
    accounts = [own_site.sign_in() for _ in range(50)]
    with Link(own_redis.socket) as link:
        server = start(REDIS_URL=f"redis://127.0.0.1:{link.port}").wait_ready()
        pages = await open_pages(server)
        opened = [await pages.open(account.token) for account in accounts]
        own_redis.pause()
        for page in opened:
            await page.ask()
        await pages.enter(None)

        link.cut()
        own_redis.resume()

        for page in opened:
            await page.connected(WAITS_MS)
        await until(server.is_ready, "the server is ready")
        packets = [own_site.publish(account.room) for account in accounts]
        assert [await page.got() for page in opened] == [[packet] for packet in packets]


# ── unwilling ───────────────────────────────────────────────────────────────────────────────────

PASSWORD = "never-in-the-log"


@pytest.fixture
def locked_redis(new_redis_server):
    """A Redis with a password, on a Unix socket."""
    return new_redis_server("--requirepass", PASSWORD, password=PASSWORD)


@pytest.mark.parametrize("password", ["", ":wrong-one@"], ids=["no password", "wrong password"])
async def test_a_server_that_redis_does_not_let_in_is_not_ready(start, locked_redis, password):
    with Link(locked_redis.socket) as link:
        server = start(REDIS_URL=f"redis://{password}127.0.0.1:{link.port}")
        await until(lambda: len(link.sent) >= 6, "several attempts")

        assert server.status("/live") == http.HTTPStatus.OK
        assert server.status("/ready") == http.HTTPStatus.SERVICE_UNAVAILABLE
        assert server.status("/socket.io/?EIO=4&transport=polling") == 503
        assert len(server.lines("Redis away")) in {1, 2, 3}
        assert server.stop() == 0
        assert "wrong-one" not in server.output()
        assert "Traceback" not in server.output()


async def test_an_address_where_something_else_answers_is_not_ready(start, server):
    """A port mixed up with another service's; that service must not be flooded either."""
    lost = start(REDIS_URL=f"redis://127.0.0.1:{server.port}")
    await until(lambda: lost.lines("Redis away"), "it has tried")

    assert lost.status("/live") == http.HTTPStatus.OK
    assert lost.status("/ready") == http.HTTPStatus.SERVICE_UNAVAILABLE
    assert lost.stop() == 0
    assert "Traceback" not in lost.output()


async def test_the_right_password_opens_and_is_not_logged(start, locked_redis, open_pages):
    with locked_redis.client() as connection:
        site = Site(connection)
        account = site.sign_in()
        with Link(locked_redis.socket) as link:
            url = f"redis://default:{PASSWORD}@127.0.0.1:{link.port}/0"
            server = start(REDIS_URL=url).wait_ready()
            page = await (await open_pages(server)).enter(account.token)

            assert [site.publish(account.room)] == await page.got()
            link.cut()
            await until(lambda: server.lines("Redis lost"), "the loss is logged")
            await until(server.is_ready, "the server is ready")
            assert [site.publish(account.room)] == await page.got()

        assert server.stop() == 0
        assert PASSWORD not in server.output()


async def test_a_redis_that_loads_its_data_is_waited_for(start, new_redis_server, open_pages):
    """It accepts connections at once and answers LOADING, for minutes if there is much."""
    redis_server = new_redis_server("--rdbcompression", "no", *redis_debug())
    with redis_server.client() as connection, redis_server.client() as operator:
        site = Site(connection)
        account = site.sign_in()
        # It looks at its connections after every 2 MiB, and then rests for 0.2 s.
        connection.mset({f"filler-{number}": b"x" * 2_100_000 for number in range(5)})
        connection.config_set("key-load-delay", 200_000)
        server = start(REDIS_URL=redis_server.url).wait_ready()
        page = await (await open_pages(server)).open(account.token)

        reload = asyncio.create_task(asyncio.to_thread(operator.execute_command, "DEBUG RELOAD"))
        await until(lambda: connection.info("persistence")["loading"], "Redis is loading")
        await page.ask()

        await page.connected(WAITS_MS)
        await reload
        assert connection.info("commandstats")["cmdstat_evalsha"]["rejected_calls"] >= 1
        await until(server.is_ready, "the server is ready")
        assert [site.publish(account.room)] == await page.got()
        assert "Traceback" not in server.output()


# ── addresses ───────────────────────────────────────────────────────────────────────────────────


async def test_users_are_looked_up_in_the_database_of_the_url(start, own_redis, open_pages):
    """Pub/sub has no databases, GET has."""
    with own_redis.client(db=3) as connection, own_redis.client() as other:
        site = Site(connection)
        account = site.sign_in()
        assert not other.exists(f"/current_users/{account.token}")
        with Link(own_redis.socket) as link:
            server = start(REDIS_URL=f"redis://127.0.0.1:{link.port}/3").wait_ready()
            page = await (await open_pages(server)).enter(account.token)

            assert [site.publish(account.room)] == await page.got()


async def test_the_cache_redis_wins(start, own_redis, own_site, new_redis_server, open_pages):
    """Rails publishes to REDIS_CACHE_URL where a site has one."""
    other = new_redis_server()
    account = own_site.sign_in()

    server = start(REDIS_CACHE_URL=own_redis.url, REDIS_URL=other.url).wait_ready()
    page = await (await open_pages(server)).enter(account.token)

    assert [own_site.publish(account.room)] == await page.got()
    with other.client() as connection:
        assert connection.client_list(_type="pubsub") == []


# ── found by trying ─────────────────────────────────────────────────────────────────────────────


async def test_a_silent_look_up_connection_is_replaced(start, redis_server, site, open_pages):
    """A firewall that forgets connections: every sign-in was sent away, for ever."""
    account = site.sign_in()
    with Link(redis_server.socket) as link:
        server = start(
            REDIS_URL=f"redis://127.0.0.1:{link.port}",
            PROBE_SECONDS=str(PROBE_S),
            LOOKUP_SECONDS=str(LOOKUP_S),
        ).wait_ready()
        pages = await open_pages(server)
        await pages.enter(account.token)

        link.stall()
        await until(lambda: len(link.sent) >= 6, "all connections are replaced", within_s=6)

        page = await pages.enter(account.token)
        await until(server.is_ready, "the server is ready")
        packet = site.publish(account.room)
        assert await page.got() == [packet]


async def test_an_address_that_accepts_and_hangs_up_is_logged_once_and_left_behind(
    start, own_redis, own_site, open_pages
):
    """A proxy's port is open although nobody is behind it; two lines for every attempt."""
    account = own_site.sign_in()
    own_redis.kill()
    with Link(own_redis.socket) as link:
        server = start(REDIS_URL=f"redis://127.0.0.1:{link.port}")
        await until(lambda: len(link.sent) >= 10, "it has tried several times")
        lines = server.output().splitlines()

        own_redis.start()
        await until(server.is_ready, "the server is ready")

        await (await open_pages(server)).enter(account.token)
        assert len(lines) <= 4, lines


async def test_a_refused_look_up_does_not_fill_the_log(start, new_redis_server, open_pages):
    """A Redis user that may not GET: the connection was made anew twenty times a second."""
    redis_server = new_redis_server()
    with redis_server.client() as client:
        client.execute_command("ACL", "SETUSER", "default", "-get")
    server = start(REDIS_URL=redis_server.url, LOOKUP_SECONDS=str(LOOKUP_S)).wait_ready()

    page = await (await open_pages(server)).open("token")
    await page.ask()

    assert await page.closed() == []
    assert len(server.output().splitlines()) < 10


@pytest.mark.parametrize("command", ["EVAL", "EVALSHA"])
async def test_users_are_let_in_where_scripts_were_renamed_away(
    start, new_redis_server, open_pages, command
):
    """Nobody with a token could connect, although the docs say that only renewing is lost."""
    redis_server = new_redis_server("--rename-command", command, "")
    with redis_server.client() as connection:
        site = Site(connection)
        account = site.sign_in()
        server = start(REDIS_URL=redis_server.url).wait_ready()

        pages = await open_pages(server)
        # All of them ask before the first refusal is known.
        entered = await asyncio.gather(*(pages.enter(account.token) for _ in range(5)))

        packet = site.publish(account.room)
        assert [await page.got() for page in entered] == [[packet]] * 5
        assert server.lines("Redis lost purpose=commands") == []


async def test_a_look_up_that_redis_refuses_is_nobody_elses_trouble(
    start, new_redis_server, open_pages
):
    """It took the connection of all look-ups down, again and again."""
    redis_server = new_redis_server()
    with redis_server.client() as connection:
        site = Site(connection)
        account = site.sign_in()
        rights = ["~/current_users/token-*", "~{channel_server}:*"]
        connection.execute_command("ACL", "SETUSER", "default", "resetkeys", *rights)
        server = start(REDIS_URL=redis_server.url).wait_ready()
        pages = await open_pages(server)
        page = await pages.enter(account.token)

        refused = await pages.open("another")
        await refused.ask()
        assert await refused.closed() == []

        other = await pages.enter(account.token)
        packet = site.publish(account.room)
        assert [await each.got() for each in (page, other)] == [[packet], [packet]]
        assert server.lines("Redis lost") == []
        assert [line for line in server.lines("look-up failed") if "NOPERM" in line]
