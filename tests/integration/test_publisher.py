"""Both publishers against a real Redis. Each test runs once with threads, once with asyncio.

Without a journal: what arrives is the payload and nothing else. With one:
``test_publisher_journal.py``.
"""

import asyncio
import subprocess
import sys
import textwrap
import threading
import time
import uuid

import orjson
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from publisher import AsyncPublisher, Publisher
from tests.integration.both import done

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ON_WIRE = b'{"room":"group-7","records":{"events":[{"id":91}]}}'
ANN = {"id": 123, "name": "Ann"}


@pytest_asyncio.fixture
async def publisher(kind, redis_server):
    publisher = kind.from_url(redis_server.url, timeout_s=2, journal=False)
    yield publisher
    await done(publisher.close())


@pytest.fixture
def redis(redis_server):
    with redis_server.client() as client:
        yield client


@pytest.fixture
def token():
    return f"token-{uuid.uuid4()}"


async def test_records_arrive_and_are_counted(publisher, redis_server):
    with redis_server.listen("/records") as one, redis_server.listen("/records"):
        subscribers = await done(publisher.publish_records(RECORDS, group_id=7))

        assert subscribers == 2
        assert one.heard() == [("/records", ON_WIRE)]


async def test_nobody_listening_is_no_error(publisher):
    """Fire and forget: a web request must not fail because the channel server is down."""
    assert await done(publisher.publish_records(RECORDS, group_id=7)) == 0


async def test_blank_records_are_not_published(publisher, redis_server):
    with redis_server.listen("/records") as listener:
        assert await done(publisher.publish_records({}, group_id=7)) == 0
        assert await done(publisher.publish_records(None, user_id=1)) == 0

        assert listener.heard() == []


async def test_notice_arrives(publisher, redis_server):
    with redis_server.listen("/system_notice") as listener:
        await done(publisher.publish_system_notice("Hi", version="3.0.12", reload=True))
        await done(publisher.publish_system_notice(None))

        assert [payload for _, payload in listener.heard()] == [
            b'{"version":"3.0.12","notice":"Hi","reload":true}',
            b'{"version":null,"notice":null,"reload":false}',
        ]


async def test_one_publishers_messages_keep_their_order(publisher, redis_server):
    with redis_server.listen("/records") as listener:
        for number in range(100):
            await done(publisher.publish_records({"n": number}, user_id=1))

        numbers = [orjson.loads(payload)["records"]["n"] for _, payload in listener.heard()]
        assert numbers == list(range(100))


async def test_large_records_arrive_whole(publisher, redis_server):
    """Hundreds of kilobytes are legitimate: wire contract, 1.2."""
    with redis_server.listen("/records") as listener:
        await done(publisher.publish_records({"body": "ä" * 500_000}, user_id=1))

        [(_, payload)] = listener.heard()
        assert len(orjson.loads(payload)["records"]["body"]) == 500_000


async def test_issued_token_is_stored_for_the_default_time(publisher, redis):
    token = await done(publisher.tokens.issue(ANN, group_ids=[1, 2]))

    key = f"/current_users/{token}"
    assert redis.get(key) == b'{"name":"Ann","group_ids":[1,2],"id":123}'
    assert 1790 <= redis.ttl(key) <= 1800


async def test_given_token_and_ttl_are_used(publisher, redis, token):
    assert await done(publisher.tokens.issue(ANN, group_ids=[], token=token, ttl=60)) == token

    assert 50 <= redis.ttl(f"/current_users/{token}") <= 60


async def test_persistent_token_has_no_ttl_even_where_there_was_one(publisher, redis, token):
    await done(publisher.tokens.issue(ANN, group_ids=[], token=token))
    await done(publisher.tokens.issue(ANN, group_ids=[], token=token, ttl=None))

    assert redis.ttl(f"/current_users/{token}") == -1


async def test_default_ttl_is_the_publishers(kind, redis_server, redis, token):
    env = {"REDIS_URL": redis_server.url, "CACHE_REDIS_EXPIRE": "77"}
    publisher = kind.from_env(env)

    await done(publisher.tokens.issue(ANN, group_ids=[], token=token))
    await done(publisher.close())

    assert 70 <= redis.ttl(f"/current_users/{token}") <= 77


async def test_revoking_tells_whether_the_token_was_known(publisher, redis, token):
    await done(publisher.tokens.issue(ANN, group_ids=[], token=token))

    assert await done(publisher.tokens.revoke(token)) is True
    assert await done(publisher.tokens.revoke(token)) is False
    assert redis.get(f"/current_users/{token}") is None


async def test_closed_publisher_may_be_used_again(publisher):
    await done(publisher.publish_records(RECORDS, group_id=7))
    await done(publisher.close())

    await done(publisher.publish_records(RECORDS, group_id=7))


async def test_context_managers_close_the_connections(redis_server, redis):
    """Redis itself tells who is still connected."""

    def connected():
        return {client["id"] for client in redis.client_list()}

    before = connected()

    with Publisher.from_url(redis_server.url) as publisher:
        publisher.publish_records(RECORDS, group_id=7)
    async with AsyncPublisher.from_url(redis_server.url) as publisher:
        await publisher.publish_records(RECORDS, group_id=7)

    deadline = time.monotonic() + 5
    while connected() - before:
        assert time.monotonic() < deadline


async def test_redis_sees_only_commands_that_redis_5_knows(kind, new_redis_server):
    """It knows neither HELLO nor CLIENT SETINFO."""
    server = new_redis_server("--requirepass", "secret", password="secret")
    with server.client() as admin:
        admin.config_resetstat()
        publisher = kind.from_url(f"{server.url}&db=3", timeout_s=2)
        await done(publisher.publish_records(RECORDS, group_id=7))
        await done(publisher.publish_system_notice("Hi"))
        token = await done(publisher.tokens.issue(ANN, group_ids=[]))
        await done(publisher.tokens.revoke(token))
        await done(publisher.close())

        counted = admin.info("commandstats")
        # Since Redis 7 as "config|resetstat".
        used = {name.removeprefix("cmdstat_").partition("|")[0] for name in counted}

    # The admin's own reset is counted by Redis after it was done.
    assert used - {"config", "info"} == {
        *("auth", "select", "evalsha", "eval", "publish", "set", "get", "del"),
        *("xadd", "xlen", "hset", "hget", "hmget", "hincrby", "exists"),
        *("srandmember", "sadd", "ttl", "expire"),
    }


async def test_redis_sees_each_command_once_and_complete(publisher, redis_server, redis):
    redis.ping()  # connect before the watch begins: this client greets Redis with more
    with redis_server.client() as watcher, watcher.monitor() as monitor:
        await done(publisher.publish_records(RECORDS, group_id=7))
        await done(publisher.tokens.issue(ANN, group_ids=[1], token="t", ttl=5))
        await done(publisher.tokens.revoke("t"))
        redis.echo("end")

        seen = []
        while (command := monitor.next_command()["command"]) != "ECHO end":
            seen.append(command)

    published = f"PUBLISH /records {ON_WIRE.decode()}"
    stored = 'SET /current_users/t {"name":"Ann","group_ids":[1],"id":123} EX 5'
    for once in (published, stored, "DEL /current_users/t"):
        assert seen.count(once) == 1


async def test_database_in_the_url_is_used(kind, redis_server, token):
    publisher = kind.from_url(f"{redis_server.url}?db=5", timeout_s=2)

    await done(publisher.tokens.issue(ANN, group_ids=[], token=token, ttl=60))
    await done(publisher.close())

    with redis_server.client(db=5) as fifth, redis_server.client(db=0) as first:
        assert fifth.exists(f"/current_users/{token}")
        assert not first.exists(f"/current_users/{token}")


TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(TEXT, JSON, min_size=1, max_size=3))
async def test_any_records_arrive_as_they_were(redis_server, records):
    """Every example has connections of its own: one lost byte would end it."""
    with redis_server.listen("/records") as listener:
        with Publisher.from_url(redis_server.url) as publisher:
            publisher.publish_records(records, user_id=1)

        [(_, payload)] = listener.heard()

    assert orjson.loads(payload) == {"room": "user-1", "records": records}


async def test_threads_share_a_publisher(redis_server):
    """More threads than connections: they wait for each other, and nothing gets mixed up."""
    counts = []

    def publish(publisher):
        counts.extend(publisher.publish_records(RECORDS, group_id=7) for _ in range(50))

    with (
        redis_server.listen("/records") as listener,
        Publisher.from_url(redis_server.url, pool_size=3, journal=False) as publisher,
    ):
        threads = [threading.Thread(target=publish, args=[publisher]) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert counts == [1] * 400
        assert listener.heard() == [("/records", ON_WIRE)] * 400


async def test_tasks_share_a_publisher(redis_server):
    """As with threads."""
    async with AsyncPublisher.from_url(redis_server.url, pool_size=3, journal=False) as publisher:
        with redis_server.listen("/records") as listener:
            publishes = [publisher.publish_records(RECORDS, group_id=7) for _ in range(100)]
            counts = await asyncio.gather(*publishes)

            assert counts == [1] * 100
            assert listener.heard() == [("/records", ON_WIRE)] * 100


async def test_parent_and_child_go_on_after_a_fork(redis_server):
    """Gunicorn and Celery fork with a publisher that has connected already.

    On a shared connection one of them would read the other's answer.
    """
    script = """
        import os, sys
        from publisher import Publisher

        publisher = Publisher.from_url(sys.argv[1], timeout_s=2)
        publisher.publish_records({"by": "before"}, user_id=1)
        child = os.fork()
        who = "parent" if child else "child"
        for _ in range(50):
            assert publisher.publish_records({"by": who}, user_id=1) == 1
            assert publisher.tokens.revoke("unknown") is False
        if child:
            sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    command = [sys.executable, "-c", textwrap.dedent(script), redis_server.url]
    with redis_server.listen("/records") as listener:
        await asyncio.to_thread(subprocess.run, command, check=True)

        authors = [orjson.loads(payload)["records"]["by"] for _, payload in listener.heard()]

    assert sorted(authors) == ["before"] + ["child"] * 50 + ["parent"] * 50
