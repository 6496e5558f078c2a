"""Connections that are too many, half open, slow or full of junk: each costs only itself."""

import asyncio
import contextlib
import os
import resource
import selectors
import socket
import time

import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from channel_server.engine.listener import listening
from channel_server.engine.options import Options
from channel_server.live.server import SocketServer
from tests.conformance.conftest import Server
from tests.conformance.wire import Client, Closed, WebSocket, frame, request
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site, new_id
from tests.servers import missing

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

MIB = 1 << 20
UNAVAILABLE = 503


def few_descriptors(count):
    """Words in front of a command that give it a limit on open files."""
    return ("sh", "-c", f'ulimit -n {count}; exec "$@"', "sh")


def connections(server):
    """Ports of the clients that the server still has a connection to."""
    found = psutil.Process(server.process.pid).net_connections("tcp")
    return {each.raddr.port for each in found if each.raddr and each.laddr.port == server.port}


# ── how many ────────────────────────────────────────────────────────────────────────────────────


async def test_one_connection_too_many_is_refused_and_the_others_live(
    redis_server, site, tmp_path
):
    with Program(tmp_path, REDIS_URL=redis_server.url, MAX_CONNECTIONS="5") as server:
        server.wait_ready()
        await until(lambda: not connections(server), "the health check has gone")
        async with pages_of(server.port) as pages:
            five = [await pages.enter(None) for _ in range(5)]

            sixth = await pages.client.link()
            assert await sixth.verdict() == UNAVAILABLE
            await sixth.ended()

            packet = site.publish_notice()
            assert [await page.got() for page in five] == [[packet]] * 5
            await five[0].leave()
            await until(lambda: len(connections(server)) == 4, "a place is free again")
            page = await pages.enter(None)
            packet = site.publish_notice()
            assert [await each.got() for each in (page, *five[1:])] == [[packet]] * 5


async def test_a_server_with_few_descriptors_survives_many_clients(redis_server, site, tmp_path):
    """Node's answer to "Too many open files" is to accept nobody any more."""
    with Program(tmp_path, wrapper=few_descriptors(256), REDIS_URL=redis_server.url) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            links = [await pages.client.link() for _ in range(400)]
            statuses = [await handshake(pages.client, link) for link in links]

        assert statuses.count(101) > 100
        assert statuses.count(101) + statuses.count(UNAVAILABLE) == 400
        await until(lambda: not connections(server), "all are gone")
        assert server.status("/live") == 200
        async with pages_of(server.port) as pages:
            page = await pages.enter(None)
            assert [site.publish_notice()] == await page.got()
        assert "Too many open files" not in server.output()
        assert "Traceback" not in server.output()


async def handshake(client, link):
    """Ask for a websocket on a connection; return the status of the answer."""
    await link.send(
        client.get(
            "EIO=4&transport=websocket",
            {
                "Connection": "Upgrade",
                "Upgrade": "websocket",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            },
        )
    )
    return await link.verdict()


async def test_every_descriptor_is_given_back(server, pages, site):
    process = psutil.Process(server.process.pid)
    await until(lambda: not connections(server), "earlier clients are gone")
    before = process.num_fds()

    opened = [
        await pages.enter(site.sign_in(new_id()).token, ("polling", "websocket")[number % 2])
        for number in range(100)
    ]
    for number, page in enumerate(opened):
        if number % 4:
            await page.leave()
        elif isinstance(page.talk, WebSocket):
            page.talk.link.cut()

    await until(lambda: process.num_fds() <= before, "all descriptors are back")


# ── half open: an engine of its own, with short deadlines ───────────────────────────────────────

DEADLINE_S = 0.4
SHORT = Options(
    connect_timeout_s=DEADLINE_S,
    request_timeout_s=DEADLINE_S,
    upgrade_timeout_s=DEADLINE_S,
    idle_timeout_s=DEADLINE_S,
)


@pytest_asyncio.fixture
async def hasty():
    """A server whose deadlines are all 0.4 s, in this process: ``(engine, client)``."""
    engine = SocketServer(SHORT).engine
    async with asyncio.TaskGroup() as group:
        running = group.create_task(engine.run())
        async with listening(engine, web.Application(), 0) as port:
            client = Client(port, "/socket.io/")
            yield engine, client
            await client.close()
        running.cancel()


async def say_nothing(client):
    return await client.link()


async def send_half_a_head(client):
    link = await client.link()
    await link.send(client.get("EIO=4&transport=polling")[:-2])
    return link


async def send_half_a_body(client):
    session = await client.session()
    await session.post("40")
    link = await client.link()
    await link.send(request("POST", f"{client.path}?{session.query}", b"4" * 100)[:-50])
    return link


async def send_half_a_chunk(client):
    session = await client.session()
    await session.post("40")
    link = await client.link()
    head = request(
        "POST", f"{client.path}?{session.query}", headers={"Transfer-Encoding": "chunked"}
    )
    await link.send(head + b"a\r\n4hel")
    return link


async def ask_once(client):
    """A keep-alive connection that is never used again."""
    link = await client.link()
    await link.send(client.get("EIO=4&transport=none"))
    assert (await link.response()).status == 400
    return link


async def ask_for_another_path(client):
    """aiohttp answers it."""
    link = await client.link()
    await link.send(request("GET", "/nothing-here"))
    assert (await link.response()).status == 404
    return link


async def ask_for_another_path_by_halves(client):
    link = await ask_for_another_path(client)
    await link.send(b"GET /nothing-here HT")
    return link


async def open_a_websocket(client):
    """And never send CONNECT."""
    return (await client.opened()).link


async def probe_without_upgrade(client):
    session = await client.session()
    await session.post("40")
    return (await client.probe(session)).link


async def open_a_probe(client):
    session = await client.session()
    await session.post("40")
    return (await client.websocket(session.sid)).link


@pytest.mark.parametrize(
    "begin",
    [
        say_nothing,
        send_half_a_head,
        send_half_a_body,
        send_half_a_chunk,
        ask_once,
        ask_for_another_path,
        ask_for_another_path_by_halves,
        open_a_websocket,
        probe_without_upgrade,
        open_a_probe,
    ],
)
async def test_who_does_not_go_on_is_hung_up(hasty, begin):
    """A telephone that has lost its network says nothing, and never says good-bye."""
    engine, client = hasty
    began = time.monotonic()

    link = await begin(client)
    await link.ended()

    assert time.monotonic() - began > DEADLINE_S * 0.9
    await engine.doors.empty()


async def test_a_polling_session_without_connect_is_closed(hasty):
    engine, client = hasty
    session = await client.session()
    await session.closed(WAITS_MS)

    assert engine.sessions == {}


async def test_a_session_that_goes_on_outlives_the_deadlines(hasty):
    """The counterpart of the tests above: the deadlines are for those who do nothing."""
    engine, client = hasty
    websocket = await client.opened()
    await websocket.send("40")
    assert (await websocket.message()).startswith("40")
    gone = [await begin(client) for begin in (say_nothing, ask_once, open_a_websocket)]

    for link in gone:
        await link.ended()

    await websocket.send("40/nowhere,")
    assert (await websocket.message()).startswith("44/nowhere,")
    assert len(engine.sessions) == 1


async def test_one_byte_at_a_time_is_no_way_around_the_deadline(hasty):
    """Slow loris: each byte in time, the head never complete."""
    engine, client = hasty
    link = await client.link()
    head = client.get("EIO=4&transport=polling", {f"X-{each}": "x" for each in range(1_000)})
    began = time.monotonic()

    with contextlib.suppress(Closed):
        for byte in head:
            await link.send(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                await link.exactly(1, within_ms=5)

    assert DEADLINE_S * 0.9 < time.monotonic() - began < DEADLINE_S + 2
    assert engine.sessions == {}


async def test_a_body_one_byte_at_a_time_is_no_way_around_the_deadline(hasty):
    engine, client = hasty
    session = await client.session()
    await session.post("40")
    link = await client.link()
    body = request("POST", f"{client.path}?{session.query}", b"4" * 100_000)
    await link.send(body[:-100_000])
    began = time.monotonic()

    with contextlib.suppress(Closed):
        for _ in range(100_000):
            await link.send(b"4")
            with contextlib.suppress(TimeoutError):
                await link.exactly(1, within_ms=5)

    assert DEADLINE_S * 0.9 < time.monotonic() - began < DEADLINE_S + 2
    assert engine.doors.socket_count == 0


@pytest.fixture
def many_descriptors():
    """Let this process have as many sockets as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 16_000:
        missing(f"16,000 file descriptors (ulimit -n): the limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def impatient_server(tmp_path):
    """The Socket.IO server of the protocol tests: 1 s from the connection to CONNECT."""
    server = Server("socketio", "brief", tmp_path)
    yield server
    server.stop()


@pytest.mark.slow
@pytest.mark.serial
async def test_thousands_of_half_open_sockets_are_closed_and_cost_nothing_afterwards(
    impatient_server, many_descriptors
):
    """The second 2,000 find the memory of the first 2,000: it was given back."""
    del many_descriptors
    await leave_half_open(impatient_server, 2_000)
    before = impatient_server.rss_bytes

    await leave_half_open(impatient_server, 2_000)

    assert impatient_server.rss_bytes - before < 2 * MIB
    client = impatient_server.client()
    websocket = await client.opened()
    await websocket.send("40")
    assert (await websocket.message()).startswith("40")
    await client.close()
    impatient_server.check()


@pytest.mark.slow
@pytest.mark.serial
@pytest.mark.parametrize("descriptors", [None, 256])
async def test_fifteen_thousand_silent_sockets_are_closed_by_the_deadline(
    redis_server, site, tmp_path, many_descriptors, descriptors
):
    """Of 256 descriptors most sockets get 503 at once; accepting never ends, nor do the others."""
    del many_descriptors
    wrapper = few_descriptors(descriptors) if descriptors else ()
    with Program(tmp_path, wrapper=wrapper, REDIS_URL=redis_server.url) as server:
        server.wait_ready()
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)

            sockets = [begin_to_connect(server.port) for _ in range(15_000)]
            refused = await asyncio.to_thread(read_until_closed, sockets, within_s=30)

            packet = site.publish(account.room)
            assert await page.got() == [packet]
            await pages.enter(None)
        assert refused >= 14_000 if descriptors else refused == 0
        assert server.rss_bytes < 160 * MIB
        assert "Traceback" not in server.output()


def begin_to_connect(port):
    """A socket that connects, and says nothing."""
    silent = socket.socket()
    silent.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        silent.connect(("127.0.0.1", port))
    return silent


def read_until_closed(sockets, *, within_s):
    """Wait until the server has closed all of them. Return how many were told 503."""
    deadline = time.monotonic() + within_s
    refused = 0
    with selectors.DefaultSelector() as selector:
        for each in sockets:
            selector.register(each, selectors.EVENT_READ)
        while selector.get_map():
            assert time.monotonic() < deadline, f"{len(selector.get_map())} are still open"
            for key, _ in selector.select(1.0):
                try:
                    said = key.fileobj.recv(4096)
                except ConnectionResetError:
                    said = b""
                refused += b" 503 " in said
                if not said:
                    selector.unregister(key.fileobj)
                    key.fileobj.close()
    return refused


async def leave_half_open(server, count):
    """Open sockets of four kinds, and wait until the server has closed them all."""
    client = server.client()
    kinds = (say_nothing, send_half_a_head, open_a_websocket, ask_for_a_session)
    links = []
    for _ in range(count // 100):
        for kind in kinds:
            links += await asyncio.gather(*(kind(client) for _ in range(100 // len(kinds))))
    # An idle keep-alive connection may stay for 75 s; the session on it is gone by then.
    await asyncio.gather(*(link.ended(WAITS_MS) for link in links if link is not None))
    await client.close()


async def ask_for_a_session(client):
    """A polling session, and nothing more. Its connection is closed by us."""
    await client.session()


# ── slow ────────────────────────────────────────────────────────────────────────────────────────

LIMITS = {
    # Bytes that nobody reads: more than the kernel takes, and on the one or the other side of
    # the ceiling, which is eight times the limit.
    "over the ceiling": ({"WRITE_LIMIT_KIB": "64", "WRITE_SECONDS": "600"}, 16 * MIB),
    "over the limit for too long": ({"WRITE_LIMIT_KIB": "8192", "WRITE_SECONDS": "1"}, 24 * MIB),
}


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "total_bytes"), LIMITS.values(), ids=LIMITS)
async def test_a_page_that_does_not_read_is_hung_up_and_the_others_get_everything(
    redis_server, site, tmp_path, settings, total_bytes
):
    """One telephone in a tunnel costs neither the room its records nor the server its memory."""
    group = new_id()
    with Program(tmp_path, REDIS_URL=redis_server.url, **settings) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            fast = await pages.enter(site.sign_in(group).token)
            slow_socket = await pages.enter(site.sign_in(group).token)
            slow_poller = await pages.enter(site.sign_in(group).token, "polling")
            other = await pages.enter(site.sign_in().token)
            (slow_port,) = connections(server) - ports(fast, other)

            for number in range(total_bytes // 256_000 + 1):
                packet = site.publish(f"group-{group}", f"{number} {'x' * 256_000}")
                assert await fast.got() == [packet]

            await until(lambda: slow_port not in connections(server), "the slow one is hung up")
            assert await slow_poller.closed() == []
            assert ports(fast, other) <= connections(server)
            notice = site.publish_notice()
            assert await fast.got() == [notice]
            assert await other.got() == [notice]
            await slow_socket.leave()


def ports(*pages):
    return {page.talk.link._writer.get_extra_info("sockname")[1] for page in pages}


# ── junk ────────────────────────────────────────────────────────────────────────────────────────


async def test_who_says_more_than_is_allowed_is_hung_up_and_nobody_else(pages, site, transport):
    """Loomio's client says nothing but pongs."""
    account = site.sign_in()
    page = await pages.enter(account.token)
    flooder = await pages.enter(None, transport)

    await flooder.talk.send(*['42["junk"]'] * 1001)

    assert await flooder.closed() == []
    packet = site.publish(account.room)
    assert await page.got() == [packet]


async def test_a_flood_of_posts_does_not_keep_the_others_waiting(redis_server, site, tmp_path):
    """However much is allowed."""
    settings = {"REDIS_URL": redis_server.url, "MAX_PACKETS_PER_SECOND": "1000000"}
    with Program(tmp_path, **settings) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await flooded(server, pages, site)


async def flooded(server, pages, site):
    """Have one client flood the server while another one listens."""
    account = site.sign_in()
    page = await pages.enter(account.token)
    flooder = await pages.enter(None, "polling")
    post = request(
        "POST",
        f"{pages.client.path}?{flooder.talk._session.query}",
        "\x1e".join(['42["junk",{"a":[1,2,3]}]'] * 200).encode(),
    )
    before = server.rss_bytes

    async def flood():
        link = await pages.client.link()
        for _ in range(100):
            await link.send(post)
            assert (await link.response()).status == 200

    async with asyncio.TaskGroup() as group:
        group.create_task(flood())
        for number in range(20):
            packet = site.publish(account.room, number)
            assert await page.got() == [packet]

    assert server.rss_bytes - before < 8 * MIB


async def test_messages_that_pile_up_behind_a_look_up_end_the_session(new_redis_server, tmp_path):
    """Nothing is handled before CONNECT has been answered, and what waits is bounded."""
    redis_server = new_redis_server()
    with redis_server.client() as connection:
        account = Site(connection).sign_in()
    with Program(tmp_path, REDIS_URL=redis_server.url) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            page = await pages.open(account.token)
            redis_server.pause()
            before = server.rss_bytes

            await page.ask()
            for _ in range(12):
                await page.talk.send('42["junk","' + "x" * 500_000 + '"]')

            assert await page.closed() == []
            assert server.rss_bytes - before < 8 * MIB
            redis_server.resume()
            page = await pages.enter(account.token)
        assert "Traceback" not in server.output()


async def junk_from_the_start(client):
    return await client.link()


async def junk_after_a_request(client):
    link = await client.link()
    await link.send(client.get("EIO=4&transport=polling"))
    await link.response()
    return link


async def junk_on_a_websocket(client):
    link = (await client.opened()).link
    await link.send(frame(0x81, b"40"))
    return link


@pytest.mark.parametrize("begin", [junk_from_the_start, junk_after_a_request, junk_on_a_websocket])
@pytest.mark.parametrize("kind", ["random", "zeros", "lines"])
async def test_ten_megabytes_of_junk_cost_one_connection(server, pages, site, begin, kind):
    page = await pages.enter(None)
    before = server.rss_bytes
    junk = {"random": os.urandom(MIB), "zeros": bytes(MIB), "lines": b"junk\r\n" * (MIB // 6)}[
        kind
    ]

    link = await begin(pages.client)
    for _ in range(10):
        await link.send(junk)

    await link.ended()
    packet = site.publish_notice()
    assert await page.got() == [packet]
    assert server.rss_bytes - before < 4 * MIB
    assert "Traceback" not in server.output()


async def test_a_poller_that_pipelines_and_does_not_read_costs_little(
    redis_server, site, tmp_path
):
    """Found by trying: 200 answers of 300 KB stayed in memory."""
    settings = {"REDIS_URL": redis_server.url, "WRITE_LIMIT_KIB": "64", "JOURNAL": "off"}
    with Program(tmp_path, **settings) as server:
        server.wait_ready()
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token, "polling")
            link = await pages.client.link()
            before = server.rss_bytes

            with contextlib.suppress(OSError):  # it is hung up before it has sent them all
                for _ in range(200):
                    await link.send(pages.client.get(page.talk._session.query))
                    site.publish(account.room, "x" * 300_000)
            await pages.enter(None)

            assert server.rss_bytes - before < 16 * MIB
