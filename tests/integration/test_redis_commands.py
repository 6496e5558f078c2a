"""Only commands that every Redis since 5.0 knows, whatever redis-py would like to send."""

import json

import pytest

from tests.faults.link import Link
from tests.integration.pages import pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

# Sites ran Redis 5.0 until January 2026. HELLO came with 6.0, CLIENT SETINFO with 7.2.
EXPECTED = {
    "AUTH", "DEL", "EVAL", "EVALSHA", "INFO", "PING", "PSUBSCRIBE", "PUBLISH", "SELECT", "SUBSCRIBE", "TIME",
    "XRANGE", "XREAD",
}  # fmt: skip


async def a_bot_speaks(connection, link):
    """To a private address, which is refused; the outbox is read for it."""
    config = {"server": "http://127.0.0.1:1", "access_token": "x", "channel": "!room:nowhere"}
    words = json.dumps({"config": config, "payload": {"html": "hello"}})
    await until(lambda: connection.publish("chatbot/publish", words) > 0, "the bots listen")
    await until(lambda: "XRANGE" in link.commands(), "the outbox is read")


async def test_the_server_sends_only_what_redis_5_knows(new_redis_server, tmp_path):
    """Over connect, look-ups, probes, loss and reconnection; read from the wire."""
    redis_server = new_redis_server("--requirepass", "secret", password="secret")
    with (
        redis_server.client(db=2) as connection,
        Link(redis_server.socket) as link,
        Program(
            tmp_path,
            REDIS_URL=f"redis://:secret@127.0.0.1:{link.port}/2",
            PROBE_SECONDS="1",
            BOTS="1",
        ) as server,
    ):
        site = Site(connection)
        account = site.sign_in()
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter(account.token)
            await pages.enter("unknown")
            link.cut()
            await until(lambda: len(link.sent) >= 10, "all connections are replaced")
            await until(server.is_ready, "the server is ready")
            page = await pages.enter(account.token)
            assert [site.publish(account.room)] == await page.got()
        await until(lambda: any(data.count(b"PING") >= 2 for data in link.sent), "a second probe")
        await a_bot_speaks(connection, link)

    assert link.commands() == EXPECTED


async def test_a_server_that_needs_neither_says_neither(redis_server, tmp_path):
    with (
        redis_server.client() as connection,
        Link(redis_server.socket) as link,
        Program(tmp_path, REDIS_URL=f"redis://127.0.0.1:{link.port}", BOTS="1") as server,
    ):
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter("unknown")
        await a_bot_speaks(connection, link)

    # EVAL only where another test has not taught this Redis the scripts.
    assert link.commands() | {"EVAL"} == EXPECTED - {"AUTH", "SELECT"}
