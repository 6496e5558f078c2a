"""The way to Redis: it can be left at any moment, and Redis says why it lets nobody in."""

import asyncio
import json
import socket
import urllib.error
import urllib.request

import pytest
import uvloop

from channel_server.adapters.line import RequestLine
from channel_server.adapters.subscription import Subscription
from channel_server.errors import RedisLost
from tests.conftest import RedisServer, need_redis
from tests.faults.sentinels import Sentinel
from tests.integration.program import Program, run
from tests.ports import free_port
from tests.servers import wait_until

pytestmark = pytest.mark.redis

TURNS = 60
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A Redis with a password, also on a TCP port."""
    need_redis()
    port = free_port()
    options = ("--requirepass", "secret", "--port", str(port), "--databases", "4")
    server = RedisServer(tmp_path_factory.mktemp("redis"), *options, password="secret")
    server.tcp = f"redis://:secret@127.0.0.1:{port}"
    server.start()
    yield server
    server.stop()


async def request_line(url):
    return await RequestLine.to(url, 5.0)


async def subscription(url):
    line = Subscription({b"channel": "channel"}, lambda _channel, _payload: 0)
    await line.open(url)
    await line.subscribe(5.0)
    return line


async def is_cancelled_after(turns, opening):
    """Cancel at a turn of the loop. Return whether it was obeyed; None if all was done before."""
    task = asyncio.ensure_future(opening)
    for _ in range(turns):
        await asyncio.sleep(0)
    is_late = task.done()
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=2.0)
    if not done:
        return False
    if not task.cancelled():
        task.result().close("test")
    return None if is_late else task.cancelled()


@pytest.mark.parametrize("open_line", [request_line, subscription])
@pytest.mark.parametrize("kind", ["unix", "tcp"])
@pytest.mark.parametrize("loop", LOOPS)
def test_connecting_can_be_cancelled_at_every_turn(guarded, loop, kind, open_line):
    """On Python 3.11 60 of 800 cancellations were lost: the server never said that its port was taken."""
    url = f"{guarded.url}&db=3" if kind == "unix" else f"{guarded.tcp}/3"

    async def cancel_everywhere():
        return [await is_cancelled_after(turns, open_line(url)) for turns in range(TURNS)]

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        obeyed = runner.run(cancel_everywhere())

    assert False not in obeyed
    assert obeyed.count(True) > 3


def test_a_taken_port_ends_the_server_whatever_the_url_of_redis(guarded):
    """It hung for ever, deaf to SIGTERM, with a password or a database in the URL."""
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for _ in range(5):
            ended = run("serve", PORT=port, REDIS_URL=f"{guarded.tcp}/3", ADMIN_PORT="0")
            assert ended.returncode == 1
            assert "cannot listen" in ended.stderr


REFUSALS = [
    ("{unix}", ("--requirepass", "secret"), "NOAUTH Authentication required"),
    ("{unix}?password=wrong", ("--requirepass", "secret"), "WRONGPASS"),
    ("{unix}?password=needless", (), "ERR AUTH <password> called without any password"),
    ("{unix}?db=9", ("--databases", "4"), "ERR DB index is out of range"),
]


@pytest.mark.parametrize(("url", "options", "words"), REFUSALS)
def test_redis_says_why_it_lets_nobody_in(new_redis_server, url, options, words):
    password = "secret" if "--requirepass" in options else None
    redis = new_redis_server(*options, password=password)

    with pytest.raises(RedisLost, match=words):
        asyncio.run(request_line(url.format(unix=f"unix://{redis.socket}")))


def reasons(server):
    """What ``/ready`` says is wrong."""
    try:
        with urllib.request.urlopen(f"{server.url}/ready") as answer:
            return str(json.load(answer)["reasons"])
    except urllib.error.HTTPError as error:
        return str(json.load(error)["reasons"])


def test_a_password_that_changes_while_the_server_runs_is_told(new_redis_server, tmp_path):
    """Redis hung up first, and that was all that was said."""
    redis = new_redis_server("--requirepass", "secret", password="secret")
    with Program(tmp_path, REDIS_URL=redis.url) as server:
        server.wait_ready()
        with redis.client() as raw:
            raw.config_set("requirepass", "another")
            raw.client_kill_filter(_type="normal", skipme=True)

        wait_until(lambda: "WRONGPASS" in reasons(server), within_s=10, what="/ready says it")

        assert "correct the user or the password" in reasons(server)
        assert server.lines("WRONGPASS")


def test_one_connection_too_many_is_told_so(new_redis_server):
    redis = new_redis_server("--maxclients", "3")
    clients = [redis.client() for _ in range(3)]
    for client in clients:
        client.ping()

    with pytest.raises(RedisLost, match="ERR max number of clients reached"):
        asyncio.run(request_line(redis.url))
    for client in clients:
        client.close()


def test_tls_to_a_plain_port_is_told_so(guarded):
    url = guarded.tcp.replace("redis://", "rediss://")

    with pytest.raises(RedisLost, match=r"no TLS in time|SSLError"):
        asyncio.run(RequestLine.to(url, 1.0))


def check_complaint(redis, folder, words, remedy):
    """A server is not ready, and says why; doctor says so, too."""
    with Program(folder, REDIS_URL=redis.url) as server:
        wait_until(lambda: server.lines("Redis away"), within_s=10, what="it says so")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/ready")
        health = json.load(caught.value)
    doctor = run("doctor", REDIS_URL=redis.url)

    assert health["status"] == "starting"
    for found in (str(health["reasons"]), server.lines("Redis away")[0], doctor.stdout):
        assert words in found
        assert remedy in found


def test_a_node_of_a_cluster_is_told_so(new_redis_server, tmp_path):
    """It was ready and degraded, and doctor had nothing against it."""
    port = free_port()
    redis = new_redis_server("--cluster-enabled", "yes", "--port", str(port))

    check_complaint(redis, tmp_path, "a node of a Redis Cluster", "redis+cluster://")


def test_a_sentinel_is_told_so(tmp_path):
    """It answers PING and SUBSCRIBE like a Redis."""
    sentinel = Sentinel(tmp_path, free_port())
    sentinel.url = f"redis://127.0.0.1:{sentinel.port}"
    wait_until(sentinel.is_up, within_s=5, what="it answers")
    try:
        check_complaint(sentinel, tmp_path, "this is a Sentinel", "redis+sentinel://")
    finally:
        sentinel.kill()
