"""A Redis Cluster as a place to run: three real primaries."""

import asyncio
import contextlib
import inspect

import pytest
import pytest_asyncio

from publisher import AsyncPublisher, Publisher, PublishError
from publisher.contract.journal import JOURNAL
from tests.faults.cluster import Cluster
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, run, until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}


@pytest.fixture
def cluster(new_redis_server):
    return Cluster(new_redis_server)


async def done(result):
    return await result if inspect.isawaitable(result) else result


@pytest_asyncio.fixture(params=[Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
async def publisher(request, cluster):
    publisher = request.param.from_url(cluster.url, timeout_s=2.0)
    yield publisher
    await done(publisher.close())


async def test_all_that_a_publisher_can_do(cluster, publisher):
    tokens = [
        await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[1], ttl=60))
        for _ in range(6)
    ]
    other = await done(publisher.tokens.issue({"id": 6, "name": "Ben"}, group_ids=[]))
    with cluster.client() as raw:
        assert raw.scard("{channel_server}:tokens:5") == 6
        stored = [raw.get(f"/current_users/{token}") for token in tokens]
        assert stored == [b'{"name":"Ann","group_ids":[1],"id":5}'] * 6
        assert 0 < raw.ttl(f"/current_users/{tokens[0]}") <= 60
        assert raw.ttl(f"/current_users/{other}") > 60

        raw.delete(f"/current_users/{tokens[5]}")
        assert await done(publisher.replace_groups(5, [2, 3])) == 5
        assert raw.get(f"/current_users/{tokens[0]}") == b'{"name":"Ann","group_ids":[2,3],"id":5}'
        assert 0 < raw.ttl(f"/current_users/{tokens[0]}") <= 60
        assert raw.scard("{channel_server}:tokens:5") == 5

        assert await done(publisher.tokens.revoke(tokens[0])) is True
        assert await done(publisher.tokens.revoke(tokens[0])) is False
        assert await done(publisher.tokens.revoke_user(5)) == 4
        assert raw.exists("{channel_server}:tokens:5") == 0
        assert [raw.exists(f"/current_users/{token}") for token in tokens] == [0] * 6
        assert raw.exists(f"/current_users/{other}") == 1

        before = raw.xlen(JOURNAL)
        await done(publisher.publish_records(RECORDS, group_id=7))
        await done(publisher.publish_system_notice("soon"))
        assert raw.xlen(JOURNAL) == before + 2


async def test_tokens_that_are_gone_are_forgotten_when_others_are_issued(cluster, publisher):
    with cluster.client() as raw:
        raw.sadd("{channel_server}:tokens:5", "gone")
        for _ in range(3):
            await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[]))
        assert not raw.sismember("{channel_server}:tokens:5", "gone")


async def test_a_step_that_is_missing_is_made_up_for_by_a_repetition(cluster, publisher):
    """Broken off before clients were told: what is to be forgotten is still known."""
    token = await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[1]))
    with cluster.client() as raw:
        raw.delete(f"/current_users/{token}")
        assert await done(publisher.tokens.revoke_user(5)) == 0
        (_, fields), *_ = raw.xrevrange(JOURNAL, count=1)
        assert fields[b"c"] == b"/channel_control"
        assert raw.exists("{channel_server}:tokens:5") == 0


async def test_a_server_lets_users_in_whatever_slot_their_token_has(cluster, publisher, tmp_path):
    """One token of another slot made the node degraded."""
    with Program(tmp_path, REDIS_URL=cluster.url, PLAIN_PUBLISHERS="0") as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            users = range(1, 9)
            tokens = [
                await done(publisher.tokens.issue({"id": n, "name": ""}, group_ids=[7], ttl=60))
                for n in users
            ]
            opened = [await pages.enter(token) for token in tokens]
            assert await done(publisher.publish_records(RECORDS, group_id=7)) >= 1
            for page in opened:
                assert b'"id":91' in (await page.got(1, WAITS_MS))[0]
            with cluster.client() as raw:
                renewed = lambda: raw.ttl(f"/current_users/{tokens[0]}") > 60  # noqa: E731
                await until(renewed, "the token has its full time")
            await done(publisher.replace_groups(1, []))
            await done(publisher.publish_records({"events": [{"id": 92}]}, user_id=1))
            assert b'"id":92' in (await opened[0].got(1, WAITS_MS))[0]
        assert server.lines("WARNING") == []


EVENTS = {"moved": Cluster.move_slot, "a replica takes over": Cluster.replace_primary}


@pytest.mark.parametrize("event", EVENTS)
async def test_the_server_follows_its_slot(cluster, publisher, tmp_path, event):
    settings = {"REDIS_URL": cluster.url, "PROBE_SECONDS": "1", "PLAIN_PUBLISHERS": "0"}
    with Program(tmp_path, **settings) as server:
        server.wait_ready()
        token = await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[7]))
        async with pages_of(server.port) as pages:
            page = await pages.enter(token)
            sent, heard = set(), set()
            for number in range(1, 61):
                with contextlib.suppress(PublishError):
                    records = {"events": [{"id": number}]}
                    await done(publisher.publish_records(records, group_id=7))
                    sent.add(number)
                if number == 20:
                    await asyncio.to_thread(EVENTS[event], cluster)
            assert len(sent) >= 50
            while max(sent) not in heard:
                packet = (await page.got(1, WAITS_MS))[0]
                heard |= {number for number in sent if b'"id":%d}' % number in packet}
        assert sent <= heard
        await until(lambda: server.lines("no longer has our keys"), "it has moved")
        await until(server.is_ready, "it is ready")


async def test_doctor_has_nothing_against_a_cluster(cluster, publisher):
    tokens = [
        await done(publisher.tokens.issue({"id": 5, "name": "Ann"}, group_ids=[1, 2]))
        for _ in range(4)
    ]

    for token in tokens:
        found = run("doctor", "--token", token, REDIS_URL=cluster.url).stdout
        assert "✗ Redis" not in found
        assert "✗ Journal" not in found
        assert "2 groups" in found


async def test_many_calls_at_once_wait_for_their_turn(cluster):
    """redis-py has 100 connections to a node, and refuses when all are taken."""
    async with AsyncPublisher.from_url(cluster.url, timeout_s=5) as publisher:
        await publisher.publish_records(RECORDS, group_id=7)
        for node in cluster.nodes:
            node.pause()
        calls = [
            asyncio.create_task(publisher.publish_records(RECORDS, group_id=7)) for _ in range(300)
        ]
        await asyncio.wait(calls, timeout=0.3)
        for node in cluster.nodes:
            node.resume()
        await asyncio.gather(*calls)


@pytest.mark.parametrize("was_there", [False, True])
async def test_nobody_there_is_told(cluster, publisher, was_there):
    if was_there:
        await done(publisher.publish_records(RECORDS, group_id=7))
    for node in cluster.nodes:
        node.kill()

    found = run("doctor", REDIS_URL=cluster.url)
    for _ in range(2):
        with pytest.raises(PublishError):
            await done(publisher.publish_records(RECORDS, group_id=7))

    assert "3 nodes of the cluster asked for our keys: ConnectionError" in found.stdout
    assert "CLUSTER NODES" in found.stdout
