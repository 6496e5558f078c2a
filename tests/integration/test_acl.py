"""The rights that docs/operations.md names: enough, and none too many."""

import asyncio
import contextlib
import json
import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from channel_server.adapters.examination import Examination
from channel_server.collab.messages import Kind, Sync
from channel_server.errors import RedisLost, RedisRefused
from publisher import AsyncPublisher, Publisher, PublishError
from publisher.contract.journal import JOURNAL, STATE
from tests.collab import client
from tests.collab.servers import Application, Ours
from tests.conftest import RedisServer, need_redis
from tests.faults.cluster import Cluster
from tests.faults.pair import Pair
from tests.faults.sentinels import House
from tests.integration.both import done
from tests.integration.pages import pages_of
from tests.integration.program import run, until
from tests.integration.site import Site
from tests.internal.site import KEY, Server
from tests.ports import free_port

pytestmark = pytest.mark.redis

DOCS = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
RULES = {
    rule.split()[2]: rule.split() for rule in re.findall(r"^ACL SETUSER .*", DOCS, re.MULTILINE)
}
SERVER, COLLAB, APPLICATION = RULES["channel_server"], RULES["collab"], RULES["application"]


def rights_of(rule):
    """What may be left out: commands, keys and channels."""
    return [word for word in rule if word[0] in "+~&"]


@pytest.fixture(scope="module")
def port():
    return free_port()


@pytest.fixture(scope="module")
def redis(tmp_path_factory, port):
    need_redis()
    server = RedisServer(tmp_path_factory.mktemp("redis"), "--port", str(port))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def allow(redis, port):
    """Create the user of a rule, without a right that is left out. Return its URL."""

    def create(rule, *, without=None):
        with redis.client() as raw:
            raw.flushall()
            raw.script_flush()
            raw.execute_command("ACL", "LOG", "RESET")
            raw.execute_command("ACL", "DELUSER", rule[2])
            raw.execute_command(*[word for word in rule if word != without])
        return f"redis://{rule[2]}:password@127.0.0.1:{port}/2"

    return create


def refusals(redis):
    with redis.client() as raw:
        return raw.execute_command("ACL", "LOG")


@contextlib.contextmanager
def overheard(redis):
    """Collect the commands that come over TCP, with their words. The tests use a Unix socket."""
    commands = []
    with redis.client() as raw, raw.monitor() as monitor:
        yield commands
        with redis.client() as other:
            other.echo("the end")
        for heard in monitor.listen():
            if heard["command"].startswith("ECHO"):
                break
            if heard["client_type"] != "unix":
                commands.append(heard["command"].split(" "))


def unused(rule, commands):
    """The rights of a rule that none of the commands has needed."""
    rights = set(rights_of(rule))
    for name, *words in commands:
        rights.discard(f"+{name.lower()}")
        for right in list(rights):
            if right[0] in "~&" and any(fnmatchcase(word, right[1:]) for word in words):
                rights.discard(right)
    return rights


# ── the servers ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_the_servers_use_each_of_their_rights_and_no_other(allow, redis, tmp_path):
    url = allow(SERVER)
    settings = {"REDIS_URL": url, "BOTS": "1", "JOURNAL_MIB": "1", "ADMIN_API_KEY": KEY}
    with (
        overheard(redis) as commands,
        redis.client(db=2) as raw,
        Server(tmp_path, **settings) as server,
    ):
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        raw.expire(f"/current_users/{account.token}", 100)
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            assert [site.publish(account.room)] == await page.got()
        config = {"server": "http://127.0.0.1:1", "access_token": "x", "channel": "!room:a"}
        words = json.dumps({"config": config, "payload": {"html": "hello"}})
        await until(lambda: raw.publish("chatbot/publish", words) > 0, "the bots listen")
        await until(lambda: raw.keys("{channel_server}:outbox:heard:*"), "it is recorded")
        for _ in range(4):
            assert run("token", "--user=5", "--ttl=60", REDIS_URL=url).returncode == 0
            raw.delete(*raw.keys("/current_users/*"))  # as time does
        large = {"records": {"comments": [{"id": 1, "body": "x" * 500_000}]}}
        for _ in range(5):
            assert server.ask("/api/groups/7/publish", "POST", large, key=KEY).status == 200
        groups = {"group_ids": [8]}
        assert server.ask("/api/users/5/groups", "PUT", groups, key=KEY).status == 200
        assert server.ask("/api/info", key=KEY).status == 200
        ports = {"PORT": str(server.port), "ADMIN_PORT": str(server.admin_port)}
        assert run("doctor", REDIS_URL=url, **ports).stdout.count("✗") == 0
        assert server.stop() == 0

    assert "NOPERM" not in server.output()
    assert refusals(redis) == []
    assert unused(SERVER, commands) == set()


@pytest.mark.asyncio
async def test_collab_uses_each_of_its_rights_and_no_other(allow, redis, tmp_path):
    settings = {"REDIS_URL": allow(COLLAB), "COLLAB_REDIS": "1"}
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    with (
        overheard(redis) as commands,
        Application() as application,
        Ours(folders[0], application, **settings) as one,
        Ours(folders[1], application, **settings) as two,
        redis.client(db=2) as raw,
    ):
        async with client.connected(one.url) as ann, client.connected(two.url) as ben:
            await client.join(ann, "comment-1")
            await client.join(ben, "comment-1")
            await ann.send(client.update("comment-1", client.text("hello")))
            while (await client.heard(ben, Kind.SYNC)).uint() != Sync.UPDATE:
                pass
        await until(lambda: raw.keys("{channel_server}:document:*"), "it is stored")
        assert one.stop() == 0
        assert two.stop() == 0

    assert refusals(redis) == []
    assert unused(COLLAB, commands) == set()


async def examine(url):
    """What a server is allowed to do: raises at the first thing that it is not."""
    examination = await Examination.begin(url)
    try:
        assert await examination.version() is not None, "no right to INFO"
        await examination.now_s()
        await examination.echo_s()
        await examination.try_journal()
        await examination.who_is("token")
    finally:
        examination.close()


@pytest.mark.parametrize("right", [None, *rights_of(SERVER)])
def test_each_that_the_servers_lack_is_found_by_trying(allow, right):
    url = allow(SERVER, without=right)

    if right is None:
        asyncio.run(examine(url))
    else:
        with pytest.raises((RedisLost, RedisRefused, AssertionError)):
            asyncio.run(examine(url))


# ── applications ────────────────────────────────────────────────────────────────────────────────

RECORDS = {"events": [{"id": 91}]}
ANN = {"id": 5, "name": "Ann"}
BOT = {"server": "https://a.example", "access_token": "x", "channel": "!a:b"}


def publish_everything(publisher, redis):
    """Use all that a publisher can do. Return what came of it."""
    results = []
    with redis.client(db=2) as raw, redis.listen("/records", "/system_notice") as listener:
        # Trimmed with every message.
        raw.hset(STATE, mapping={"entries": 1, "window": 60, "max_bytes": 1_000_000})
        tokens = [publisher.tokens.issue(ANN, group_ids=[1], ttl=60) for _ in range(3)]
        raw.srem("{channel_server}:tokens:5", "none")
        raw.sadd("{channel_server}:tokens:5", "forgotten")
        results.append(publisher.replace_groups(5, [2]))
        results.append(publisher.tokens.revoke(tokens[0]))
        results += [publisher.publish_records(RECORDS, group_id=7) for _ in range(3)]
        results.append(publisher.publish_system_notice("soon"))
        results.append(publisher.disconnect_user(5))
        results.append(publisher.chatbots.publish(BOT, "hi"))
        with publisher.batch() as batch:
            batch.publish_records(RECORDS, group_id=7)
        results.append(publisher.tokens.revoke_user(5))
        results.append(publisher.tokens.issue(ANN, group_ids=[1], token="t", ttl=60))
        results.append([payload[-3:] for _, payload in listener.heard()])
        results.append(raw.xlen(JOURNAL))
        results.append(raw.exists("/current_users/t"))
        results.append(raw.ttl("{channel_server}:tokens:5") > 0)
        results.append(raw.ttl(JOURNAL) > 0)
    return results


def test_the_rights_are_enough_for_applications(allow, redis):
    with Publisher.from_url(allow(APPLICATION)) as publisher:
        assert publish_everything(publisher, redis)[-4:] == [1, 1, True, True]

    assert refusals(redis) == []


@pytest.mark.parametrize("right", rights_of(APPLICATION))
def test_none_is_too_many_for_applications(allow, redis, right):
    """Something is refused; publishers go on without scripts where they can."""
    with (
        Publisher.from_url(allow(APPLICATION, without=right)) as publisher,
        contextlib.suppress(PublishError),
    ):
        publish_everything(publisher, redis)

    assert refusals(redis) != []


# ── in a cluster, and at Sentinels ──────────────────────────────────────────────────────────────

IN_A_CLUSTER = re.search(r"In a cluster, [^`]*`([^`]*)`", DOCS)[1].split()
AT_SENTINELS = RULES["finder"]


async def use(publisher):
    """What takes several steps in a cluster."""
    tokens = [await done(publisher.tokens.issue(ANN, group_ids=[1], ttl=60)) for _ in range(4)]
    await done(publisher.replace_groups(5, [2]))
    await done(publisher.tokens.revoke(tokens[0]))
    await done(publisher.publish_records(RECORDS, group_id=7))
    await done(publisher.tokens.revoke_user(5))
    await done(publisher.close())


def url_for(cluster, rule, rights):
    """Create the user of a rule with more rights at all nodes. Return its URL."""
    for node in cluster.nodes:
        with node.client() as raw:
            raw.execute_command(*rule, *rights)
    return cluster.url.replace("://", f"://{rule[2]}:password@")


@pytest.fixture
def cluster(new_redis_server):
    return Cluster(new_redis_server)


def test_the_rights_are_enough_for_applications_in_a_cluster(cluster):
    for kind in (Publisher, AsyncPublisher):
        url = url_for(cluster, APPLICATION, IN_A_CLUSTER)
        asyncio.run(use(kind.from_url(url)))

    assert [refusals(node) for node in cluster.nodes] == [[], [], []]


@pytest.mark.parametrize("right", IN_A_CLUSTER)
def test_none_is_too_many_for_applications_in_a_cluster(cluster, right):
    url = url_for(cluster, APPLICATION, [word for word in IN_A_CLUSTER if word != right])

    with contextlib.suppress(PublishError):
        asyncio.run(use(Publisher.from_url(url)))

    assert [log for node in cluster.nodes for log in refusals(node)] != []


@pytest.mark.asyncio
async def test_the_rights_are_enough_for_the_servers_in_a_cluster(cluster, tmp_path):
    url = url_for(cluster, SERVER, IN_A_CLUSTER)
    with Server(tmp_path, REDIS_URL=url, BOTS="1") as server, cluster.client() as raw:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            for is_there in (True, False):
                token = next(cluster.tokens_at_owner(are_there=is_there))
                raw.set(f"/current_users/{token}", json.dumps({**ANN, "group_ids": [1]}), ex=60)
                await pages.enter(token)
        assert server.stop() == 0

    assert [refusals(node) for node in cluster.nodes] == [[], [], []]


@pytest.mark.parametrize("right", [None, "+ping", "+sentinel|masters"])
def test_the_rights_at_sentinels_are_enough_and_none_is_too_many(
    tmp_path, new_redis_server, right
):
    rule = [word for word in AT_SENTINELS if word != right]
    with House(tmp_path, Pair(new_redis_server)) as house:
        for sentinel in house.sentinels:
            with sentinel.client() as raw:
                raw.execute_command(*rule)
        login = f"?sentinel_username={rule[2]}&sentinel_password=password"
        ports = {"PORT": "1", "ADMIN_PORT": "0"}
        found = run("doctor", REDIS_URL=house.url + login, **ports).stdout
        if right != "+ping":  # which the library does not need
            with (
                Publisher.from_url(house.url + login) as publisher,
                contextlib.nullcontext() if right is None else pytest.raises(PublishError),
            ):
                publisher.publish_records(RECORDS, group_id=7)

    assert ("✓ Redis" in found) == (right is None)
