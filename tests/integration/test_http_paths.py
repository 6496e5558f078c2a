"""What is served beside the Socket.IO path, and which web pages may call it.

The server runs in this process, built from environment variables as ``serve`` builds it.
"""

import asyncio
import contextlib

import pytest
import pytest_asyncio

from channel_server.app import ChannelServer
from channel_server.config import Settings
from channel_server.stop import Stop
from tests.conformance.wire import Client
from tests.integration.program import QUICK_END

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

POLLING = "EIO=4&transport=polling"
WEBSOCKET = "EIO=4&transport=websocket"
OURS = "https://loomio.example.org"
FOREIGN = "https://evil.example.com"
FORBIDDEN = {"code": 4, "message": "Forbidden"}


@contextlib.asynccontextmanager
async def running(env):
    """Run a server until the end; yield its port."""
    stop = Stop()
    port = asyncio.get_running_loop().create_future()
    server = ChannelServer(Settings.from_env({"PORT": "0", **QUICK_END, **env}))
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run(stop, on_listening=port.set_result))
        try:
            async with asyncio.timeout(10):
                yield await port
        finally:
            stop.ask()


@pytest_asyncio.fixture
async def start(redis_server):
    """Start a ready server: ``client = await start(PUBLIC_APP_URL=...)``."""
    async with contextlib.AsyncExitStack() as stack:

        async def enter(path="/socket.io/", **env):
            port = await stack.enter_async_context(running({"REDIS_URL": redis_server.url, **env}))
            client = Client(port, path)
            stack.push_async_callback(client.close)
            await ready(port)
            return client

        yield enter


async def ready(port):
    client = Client(port, "/ready")
    async with asyncio.timeout(10):
        while (await client.ask("GET", "")).status != 200:
            pass


# ── health ──────────────────────────────────────────────────────────────────────────────────────


async def test_health_of_a_server_without_redis(aiohttp_client, tmp_path):
    """It lives, so nobody must restart it; it does not deliver, so nobody must send clients."""
    server = ChannelServer(Settings.from_env({"REDIS_URL": f"unix://{tmp_path}/none"}))
    client = await aiohttp_client(server.web_app)

    for path, status in (("/live", 200), ("/ready", 503), ("/startup", 503)):
        async with client.get(path) as answer:
            assert answer.status == status
            assert await answer.json() == {
                "status": "starting",
                "reasons": ["no subscription to Redis", "the journal has not been read yet"],
            }


async def test_a_ready_server_says_so(start):
    client = await start("/ready")

    answer = await client.ask("GET", "")

    assert (answer.status, answer.json) == (200, {"status": "ok", "reasons": []})
    assert answer.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/socket.io",
        "/socket.io/x",
        "/socket.io/socket.io.js",
        "/SOCKET.IO/",
        "/live/",
        "/demo/users",
        "/metrics",
        "/../live",
        "/%2e%2e/",
        "//",
        "/%00",
    ],
)
async def test_other_paths_are_not_found(start, path):
    """The demo page, its users' tokens above all, is for ``dev`` only."""
    client = await start(path)

    assert (await client.ask("GET", "")).status == 404


async def test_health_is_only_read(start):
    client = await start("/live")

    assert (await client.ask("POST", "", b"x")).status == 405


async def test_paths_take_turns_on_one_connection(start):
    """A proxy keeps connections and sends everything through them."""
    client = await start()
    link = await client.link()
    live = b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n"

    for _ in range(3):
        await link.send(live + client.get(POLLING) + live + client.get("transport=none"))
        assert [(await link.response()).status for _ in range(4)] == [200, 200, 200, 400]


# ── which pages may call ────────────────────────────────────────────────────────────────────────

CORS = {
    "nothing set": ({}, "*"),
    "a URL": ({"PUBLIC_APP_URL": OURS}, OURS),
    "a slash": ({"PUBLIC_APP_URL": f"{OURS}/"}, OURS),
    "a path": ({"PUBLIC_APP_URL": f"{OURS}/community/?x=1#y"}, OURS),
    "a port": ({"PUBLIC_APP_URL": "http://localhost:3000/"}, "http://localhost:3000"),
    "blanks": ({"PUBLIC_APP_URL": f" {OURS} "}, OURS),
    "empty": ({"PUBLIC_APP_URL": "", "CANONICAL_HOST": "a.example.org"}, "https://a.example.org"),
    "canonical host": ({"CANONICAL_HOST": "loomio.example.org"}, OURS),
    "virtual host": ({"VIRTUAL_HOST": "channels.example.org"}, "https://example.org"),
    "virtual hosts": (
        {"VIRTUAL_HOST": "channels.example.org, channels.b.example"},
        "https://example.org",
    ),
    "the first wins": (
        {"PUBLIC_APP_URL": OURS, "CANONICAL_HOST": "b.example", "VIRTUAL_HOST": "c.example"},
        OURS,
    ),
    "another variable": ({"APP_URL": "http://app:3000"}, "*"),
}


@pytest.mark.parametrize(("env", "origin"), CORS.values(), ids=CORS)
async def test_every_polling_answer_names_the_configured_origin(start, env, origin):
    """A browser that does not find its origin refuses the answer: no live updates at all."""
    client = await start(**env)
    session = await client.session()
    await session.post("40")

    answers = [
        await client.ask("GET", POLLING, headers={"Origin": FOREIGN}),
        await client.ask("GET", POLLING),
        await session.poll(),
        await session.post("41"),
        await client.ask("GET", f"{POLLING}&sid=unknown"),
        await client.ask("OPTIONS", POLLING),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 200, 400, 204]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == origin
        if origin == "*":
            assert "vary" not in answer.headers
            assert "access-control-allow-credentials" not in answer.headers
        else:
            assert answer.headers["vary"] == "Origin"
            assert answer.headers["access-control-allow-credentials"] == "true"


async def test_a_preflight_allows_what_the_browser_asks_for(start):
    client = await start(PUBLIC_APP_URL=OURS)
    asked = {"Origin": OURS, "Access-Control-Request-Headers": "x-forwarded, content-type"}

    answer = await client.ask("OPTIONS", POLLING, headers=asked)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["access-control-allow-headers"] == "x-forwarded, content-type"
    assert {"GET", "POST"} <= set(answer.headers["access-control-allow-methods"].split(","))


async def test_a_foreign_origin_is_served_unless_told_otherwise(start):
    """Node refuses nobody; a site under a second host name works over websockets."""
    client = await start(PUBLIC_APP_URL=OURS)

    assert (await client.ask("GET", POLLING, headers={"Origin": FOREIGN})).status == 200
    assert (await client.upgrade(WEBSOCKET, {"Origin": FOREIGN}))[0].status == 101


@pytest.mark.parametrize(
    "origin", [FOREIGN, "null", f"{OURS}.evil.example.com", f"{OURS}:8443", "http" + OURS[5:], ""]
)
async def test_origin_check_refuses_other_origins(start, origin):
    client = await start(PUBLIC_APP_URL=OURS, ORIGIN_CHECK="1")
    foreign = {"Origin": origin}

    polling = await client.ask("GET", POLLING, headers=foreign)
    websocket, _ = await client.upgrade(WEBSOCKET, foreign)

    assert (polling.status, polling.json) == (403, FORBIDDEN)
    assert (websocket.status, websocket.json) == (403, FORBIDDEN)


@pytest.mark.parametrize("headers", [{"Origin": OURS}, {}], ids=["ours", "none"])
async def test_origin_check_lets_our_pages_and_programs_in(start, headers):
    """Programs that are no browser send no Origin."""
    client = await start(PUBLIC_APP_URL=f"{OURS}/", ORIGIN_CHECK="1")

    assert (await client.ask("GET", POLLING, headers=headers)).status == 200
    assert (await client.upgrade(WEBSOCKET, headers))[0].status == 101


async def test_origin_check_holds_for_requests_of_a_session_too(start):
    client = await start(PUBLIC_APP_URL=OURS, ORIGIN_CHECK="1")
    session = await client.session()

    stolen = await client.ask("GET", session.query, headers={"Origin": FOREIGN})

    assert stolen.status == 403
    assert (await session.post("40")).status == 200
