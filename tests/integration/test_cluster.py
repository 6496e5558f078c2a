"""A Redis Cluster as a place to run: three real primaries."""

import asyncio
import contextlib
import itertools
import ssl
import traceback

import pytest
import pytest_asyncio
import trustme

from channel_server.adapters.cluster_directory import ClusterDirectory
from channel_server.errors import RedisLost
from publisher import AsyncPublisher, Publisher, PublishError
from publisher.contract import CURRENT_USERS
from publisher.contract.journal import JOURNAL
from publisher.contract.redis_url import read_url
from tests.faults.cluster import Cluster
from tests.faults.link import Link
from tests.integration.both import done
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, run, until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ANN = b'{"name":"Ann","group_ids":[1],"id":5}'


@pytest.fixture
def cluster(new_redis_server):
    return Cluster(new_redis_server)


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


async def test_a_primary_that_stands_still_is_left(cluster, publisher, tmp_path):
    """Calls went to it for ever, and users whose tokens it had were never let in."""
    settings = {"REDIS_URL": cluster.url, "PROBE_SECONDS": "1"}
    with Program(tmp_path, **settings) as server, cluster.client() as raw:
        server.wait_ready()
        token = next(cluster.tokens_at_owner(are_there=True))
        raw.set(CURRENT_USERS + token, ANN)
        async with pages_of(server.port) as pages:
            await pages.enter(token)
            await done(publisher.publish_records(RECORDS, group_id=7))

            await asyncio.to_thread(cluster.stop_primary)

            for _ in range(3):
                await done(publisher.publish_records(RECORDS, group_id=7))
            await until(server.is_ready, "it is ready")
            page = await pages.enter(token)
            await done(publisher.publish_records({"events": [{"id": 92}]}, user_id=5))
            assert b'"id":92' in (await page.got(1, WAITS_MS))[0]


async def test_a_node_that_says_nothing_holds_up_its_own_tokens_only(cluster):
    directory = ClusterDirectory(read_url(cluster.url), patience_s=4.0, token_ttl_s=60)
    theirs = list(itertools.islice(cluster.tokens_at_owner(are_there=True), 40))
    others = list(itertools.islice(cluster.tokens_at_owner(are_there=False), 10))
    with cluster.client() as raw:
        for token in others:
            raw.set(CURRENT_USERS + token, ANN)
    assert await directory.find(others[0])
    cluster.nodes[cluster.owner()].pause()

    async with asyncio.TaskGroup() as group:
        lost = [group.create_task(find(directory, token)) for token in theirs]
        found = [group.create_task(find(directory, token)) for token in others]
    await directory.close()

    assert {task.result() for task in lost} == {None}
    assert {task.result().user_id for task in found} == {"5"}


async def find(directory, token):
    with contextlib.suppress(RedisLost):
        return await directory.find(token)


async def test_every_new_publisher_can_publish_with_tls(cluster, tmp_path):
    """Tickets of TLS 1.3 made 32 of 60 fail."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with contextlib.ExitStack() as stack:
        ports = [
            stack.enter_context(Link(node.socket, tls=context)).port for node in cluster.nodes
        ]
        cluster.announce(ports)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        url = f"rediss+cluster://{hosts}?ssl_ca_certs={tmp_path}/ca.pem"
        for _ in range(30):
            with Publisher.from_url(url) as publisher:
                await asyncio.to_thread(publisher.publish_records, RECORDS, group_id=7)


async def test_a_refusal_that_quotes_the_login_is_not_passed_on(new_redis_server):
    """Redis quotes a command that it does not know."""
    server = new_redis_server(
        "--cluster-enabled", "yes", "--port", "0", "--rename-command", "AUTH", ""
    )
    with Link(server.socket) as link:
        for kind in (Publisher, AsyncPublisher):
            publisher = kind.from_url(f"redis+cluster://:topsecret@127.0.0.1:{link.port}")
            with pytest.raises(PublishError) as failure:
                await done(publisher.publish_records(RECORDS, group_id=7))
            await done(publisher.close())
            assert "topsecret" not in "".join(traceback.format_exception(failure.value))


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

    assert "3 nodes of the cluster asked for our keys: ConnectionRefusedError" in found.stdout
    assert "no Redis listens there" in found.stdout
