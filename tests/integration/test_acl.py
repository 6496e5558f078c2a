"""The rights that docs/operations.md names: enough, and none too many."""

import asyncio
import contextlib
import json
import re
from pathlib import Path

import pytest

from channel_server.adapters.examination import Examination
from channel_server.adapters.subscription import Subscription
from channel_server.errors import RedisLost, RedisRefused
from publisher import Publisher, PublishError
from publisher.contract.journal import JOURNAL, STATE
from tests.conftest import RedisServer, need_redis
from tests.integration.pages import pages_of
from tests.integration.program import Program, run, until
from tests.integration.site import Site

pytestmark = pytest.mark.redis

DOCS = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
RULES = {rule.split()[2]: rule.split() for rule in re.findall(r"`(ACL SETUSER [^`]*)`", DOCS)}
SERVER, APPLICATION = RULES["channel_server"], RULES["application"]


def rights_of(rule):
    """What may be left out: commands, keys and channels."""
    return [word for word in rule if word[0] in "+~&"]


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    need_redis()
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def allow(redis):
    """Create the user of a rule, without a right that is left out. Return its URL."""

    def create(rule, *, without=None):
        with redis.client() as raw:
            raw.flushall()
            raw.script_flush()
            raw.execute_command("ACL", "LOG", "RESET")
            raw.execute_command("ACL", "DELUSER", rule[2])
            raw.execute_command(*[word for word in rule if word != without])
        return f"unix://{rule[2]}:password@{redis.socket}?db=2"

    return create


# ── the servers ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_the_rights_are_enough_for_the_servers(allow, redis, tmp_path):
    url = allow(SERVER)
    with redis.client(db=2) as raw, Program(tmp_path, REDIS_URL=url, BOTS="1") as server:
        site = Site(raw)
        account = site.sign_in()
        raw.expire(f"/current_users/{account.token}", 100)
        server.wait_ready()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            assert [site.publish(account.room)] == await page.got()
        config = {"server": "http://127.0.0.1:1", "access_token": "x", "channel": "!room:a"}
        words = json.dumps({"config": config, "payload": {"html": "hello"}})
        await until(lambda: raw.publish("chatbot/publish", words) > 0, "the bots listen")
        await until(lambda: raw.keys("{channel_server}:outbox:heard:*"), "it is recorded")
        assert run("doctor", REDIS_URL=url).stdout.count("✗") == 0
        assert server.stop() == 0
        assert "NOPERM" not in server.output()
        assert raw.execute_command("ACL", "LOG") == []


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
    channels = ["/records", "/system_notice", "/channel_control", "{channel_server}:documents"]
    line = Subscription({name.encode(): name for name in channels}, lambda *_: 0, (b"chatbot/*",))
    await line.open(url)
    try:
        await line.subscribe(5.0)
    finally:
        line.close("examined")


@pytest.mark.parametrize("right", [None, *rights_of(SERVER)])
def test_none_is_too_many_for_the_servers(allow, right):
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


def refusals(redis):
    with redis.client() as raw:
        return raw.execute_command("ACL", "LOG")


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
