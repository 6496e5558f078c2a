"""Documents in a real Redis: nobody writes over what it has not read."""

import asyncio
import contextlib
import random

import pytest
import pytest_asyncio

from channel_server.adapters.commands import Commands
from channel_server.adapters.pauses import Pauses
from channel_server.adapters.redis_documents import RedisDocuments
from channel_server.core.documents import Kept
from channel_server.errors import StoreFailed
from tests.faults.link import Link

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@contextlib.asynccontextmanager
async def documents(url, node, *, keep_s=0, patience_s=10.0):
    """Documents of one node."""
    commands = Commands(url, probe_s=5.0, pauses=Pauses(random.random))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(commands.run())
        await commands.has_connected.wait()
        yield RedisDocuments(commands, node=node, keep_s=keep_s, patience_s=patience_s)
        running.cancel()


@pytest.fixture
def redis(new_redis_server):
    return new_redis_server()


@pytest_asyncio.fixture
async def nodes(redis):
    async with documents(redis.url, "one") as one, documents(redis.url, "two") as two:
        yield one, two


async def test_document_is_kept_with_a_version(nodes):
    one, _ = nodes
    assert await one.load("d") == Kept(None, b"")

    version = await one.save("d", b"\0data", b"")

    assert version
    assert await one.has("d", version)
    assert not await one.has("d", b"another")
    assert await one.load("d") == Kept(b"\0data", version)


async def test_version_that_was_not_read_is_not_written_over(nodes):
    one, two = nodes
    first = await one.save("d", b"of one", b"")

    assert await two.save("d", b"of two", b"") is None
    second = await two.save("d", b"of both", first)

    assert second not in {None, first}
    assert await one.save("d", b"late", first) is None
    assert await one.load("d") == Kept(b"of both", second)


async def test_document_that_redis_has_forgotten_is_read_again(nodes, redis):
    one, _ = nodes
    version = await one.save("d", b"data", b"")
    with redis.client() as client:
        client.flushall()

    assert not await one.has("d", version)
    assert await one.save("d", b"data", version) is None
    assert await one.load("d") == Kept(None, b"")
    assert await one.save("d", b"data", b"")


async def test_document_expires_after_its_last_change(redis):
    async with documents(redis.url, "one", keep_s=1000) as one:
        await one.save("d", b"data", b"")
        with redis.client() as client:
            (key,) = client.keys()
            assert 990 < client.ttl(key) <= 1000


async def test_redis_that_is_away_is_waited_for(redis):
    async with documents(redis.url, "one") as one:
        redis.kill()
        async with asyncio.TaskGroup() as group:
            saving = group.create_task(one.save("d", b"data", b""))
            await asyncio.sleep(0)
            redis.start()
        assert saving.result()
        assert (await one.load("d")).data == b"data"


async def test_redis_that_stays_away_is_a_failure(redis):
    async with documents(redis.url, "one", patience_s=0.0) as one:
        redis.kill()
        with pytest.raises(StoreFailed, match="Redis is lost"):
            await one.load("d")


async def test_redis_that_refuses_is_a_failure(redis):
    async with documents(redis.url, "one") as one:
        with redis.client() as client:
            client.config_set("maxmemory", "1")
        with pytest.raises(StoreFailed, match="OOM"):
            await one.save("d", b"data", b"")


async def test_only_what_redis_5_knows_is_sent(redis):
    with Link(redis.socket) as link:
        async with documents(f"redis://127.0.0.1:{link.port}", "one", keep_s=10) as one:
            await one.save("d", b"data", b"")
            await one.load("d")

    assert link.commands() - {"PING"} == {"INFO", "DEL", "EVALSHA", "EVAL", "HMGET"}
