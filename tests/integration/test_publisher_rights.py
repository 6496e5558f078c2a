"""A user of Redis that lacks rights: what is kept is sent, what is lost is an error, and it is said."""

import pytest
from redis import Redis as PlainRedis

from publisher import BatchIncomplete, RedisRefused
from publisher.batch import Batch
from publisher.contract.journal import JOURNAL, STATE
from publisher.refusals import CHANNELS
from publisher.scripts import PUBLISH, PUBLISH_BATCH
from tests.integration.both import done
from tests.integration.pages import pages_of
from tests.integration.program import Program

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ANN = {"id": 5, "name": "Ann"}


@pytest.fixture
def server(new_redis_server):
    return new_redis_server()


@pytest.fixture
def redis(server):
    with server.client() as client:
        yield client


@pytest.fixture
def allow(server, redis):
    """Give the user of the tests these rights only. Return its URL."""

    def allow(*rules):
        redis.execute_command("ACL", "SETUSER", "app", "reset", "on", ">pw", *rules)
        return server.url.replace("unix://", "unix://app:pw@")

    return allow


def batch_of_two():
    batch = Batch()
    batch.publish_records(RECORDS, group_id=1)
    batch.publish_system_notice("soon")
    return batch


def kept(redis):
    return sum(entry[b"k"] == b"l" for _, entry in redis.xrange(JOURNAL))


async def test_what_is_kept_counts_as_sent_where_publish_is_refused(kind, allow, redis, caplog):
    """Redis 7's users have no channels. Servers read the journal; a repetition would come twice."""
    publisher = kind.from_url(allow("~*", "+@all", "resetchannels"))

    assert await done(publisher.publish_records(RECORDS, group_id=1)) == 0
    batch = batch_of_two()
    await done(publisher.publish_batch(batch))

    assert batch.heard == [0, 0]
    assert kept(redis) == 3
    (record,) = caplog.records
    assert CHANNELS in record.getMessage()
    await done(publisher.close())


async def test_a_page_gets_what_could_not_be_published(kind, allow, server, tmp_path):
    publisher = kind.from_url(allow("~*", "+@all", "resetchannels"))
    token = await done(publisher.tokens.issue(ANN, group_ids=[1]))
    with Program(tmp_path, REDIS_URL=server.url) as program:
        program.wait_ready()
        async with pages_of(program.port) as pages:
            page = await pages.enter(token)

            await done(publisher.publish_records({"number": [1]}, group_id=1))
            await done(publisher.publish_batch(batch_of_two()))

            assert await page.got(3) == [
                b'42["records",{"room":"group-1","records":{"number":[1]}}]',
                b'42["records",{"room":"group-1","records":{"events":[{"id":91}]}}]',
                b'42["notice",{"version":null,"notice":"soon","reload":false}]',
            ]
    await done(publisher.close())


async def test_the_advice_is_enough(kind, allow, redis, server, caplog):
    publisher = kind.from_url(allow("~*", "+@all", "resetchannels"))
    await done(publisher.publish_records(RECORDS, group_id=1))

    redis.execute_command(*CHANNELS.replace("<user>", "app").split())

    with server.listen("/records"):
        assert await done(publisher.publish_records(RECORDS, group_id=1)) == 1
    assert len(caplog.records) == 1
    await done(publisher.close())


@pytest.mark.parametrize("script", [PUBLISH, PUBLISH_BATCH], ids=["one", "batch"])
@pytest.mark.parametrize("is_kept", [0, 1])
async def test_a_repetition_gives_the_same_answer_and_the_same_reason(
    allow, script, is_kept, redis
):
    """The reason was forgotten, and another one guessed."""
    with PlainRedis.from_url(allow("~*", "+@all", "resetchannels")) as client:
        words = (3, JOURNAL, STATE, "once", "/records", "{}", "epoch", is_kept, "/records", "{}")

        heard, reason = client.eval(script.source, *words)
        length = redis.xlen(JOURNAL)
        again, same_reason = client.eval(script.source, *words)

    assert (int(again), same_reason) == (int(heard), reason)
    assert b"channel" in reason
    assert redis.xlen(JOURNAL) == length
    assert bool(length) == bool(is_kept)


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "no journal"])
async def test_nothing_is_lost_that_was_for_nobody(kind, allow, caplog, journal):
    """Loomio's calls for what has no group failed."""
    publisher = kind.from_url(allow("~*", "+@all", "resetchannels"), journal=journal)
    batch = Batch()
    for _ in range(2):
        batch.publish_records(RECORDS, to_nobody=True)

    assert await done(publisher.publish_records(RECORDS, to_nobody=True)) == 0
    await done(publisher.publish_batch(batch))

    assert batch.heard == [0, 0]
    assert len(caplog.records) == 1
    await done(publisher.close())


async def test_what_can_be_neither_kept_nor_published_is_unsent(kind, allow, redis):
    publisher = kind.from_url(allow("~*", "+@all", "resetchannels", "&/records"), journal=False)

    with pytest.raises(RedisRefused, match="NOPERM") as refused:
        await done(publisher.publish_system_notice("soon"))
    with pytest.raises(BatchIncomplete, match="&/system_notice") as caught:
        await done(publisher.publish_batch(batch_of_two()))

    assert (refused.value.missing, refused.value.maybe_sent) == ("channels", False)
    assert (caught.value.sent, caught.value.unsent) == ((0,), (1,))
    assert redis.xlen(JOURNAL) == 0
    await done(publisher.close())


async def test_rights_to_some_keys_only_are_said_and_mended_rights_are_found(
    kind, allow, redis, server, caplog, monkeypatch
):
    publisher = kind.from_url(allow("~/current_users/*", "+@all", "&*"))

    with server.listen("/records"):
        assert await done(publisher.publish_records(RECORDS, group_id=1)) == 1
    with pytest.raises(RedisRefused, match="is lost") as caught:
        await done(publisher.publish_records(RECORDS, group_id=1))
    with pytest.raises(BatchIncomplete, match="is lost"):
        await done(publisher.publish_batch(batch_of_two()))

    assert "ACL SETUSER <user> ~/current_users/* ~{channel_server}:*" in str(caught.value)
    assert len(caplog.records) == 1
    allow("~*", "+@all", "&*")
    monkeypatch.setattr(publisher._journaling, "_scripts_again_at", 0.0)  # a minute later
    assert await done(publisher.publish_records(RECORDS, group_id=1)) == 0
    assert kept(redis) == 1
    await done(publisher.close())


async def test_a_command_that_a_script_may_not_use_leaves_nothing_half_done_unsaid(
    kind, allow, redis
):
    publisher = kind.from_url(allow("~*", "+@all", "&*", "-sadd"))

    with pytest.raises(RedisRefused, match="a part of it may be done") as caught:
        await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))
    allow("~*", "+@all", "&*")
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))

    assert (caught.value.missing, caught.value.maybe_sent) == ("commands", True)
    assert await done(publisher.tokens.revoke_user(5)) == 1
    assert redis.exists("/current_users/t") == 0
    await done(publisher.close())


async def test_what_can_be_added_but_not_trimmed_is_kept_and_said(kind, allow, redis, caplog):
    """Found in review: it was published as if it was not kept, and so it was kept twice."""
    publisher = kind.from_url(allow("~*", "+@all", "&*", "-xtrim"))
    redis.hset(STATE, "entries", 2)
    for _ in range(2):
        assert await done(publisher.publish_records(RECORDS, group_id=1)) == 0

    assert kept(redis) == 2
    assert [record.name for record in caplog.records] == ["publisher.journaling"]
    await done(publisher.close())


async def test_a_token_that_is_gone_is_told_also_where_its_page_cannot_be(kind, allow, redis):
    publisher = kind.from_url(allow("~/current_users/*", "&*", "+@all"))
    redis.set("/current_users/t", "{}")

    with pytest.raises(RedisRefused, match="a part of it may be done") as caught:
        await done(publisher.tokens.revoke("t"))

    assert caught.value.maybe_sent
    assert not redis.exists("/current_users/t")
    await done(publisher.close())


async def test_what_goes_to_nobody_needs_no_rights_in_a_batch_either(kind, allow):
    publisher = kind.from_url(allow("~*", "+@all", "-@scripting", "resetchannels"))
    batch = Batch()
    batch.publish_records(RECORDS, to_nobody=True)

    await done(publisher.publish_batch(batch))

    assert batch.heard == [0]
    await done(publisher.close())


@pytest.mark.parametrize("rule", ["-evalsha", "-eval"])
async def test_order_is_told_of_once_also_where_scripts_are_refused(kind, allow, server, rule):
    """Found in review: the first one was told as unsent, and then as sent."""
    outcomes = []
    publisher = kind.from_url(
        allow("~*", "&*", "+@all", rule), on_publish=lambda *told: outcomes.append(told[-1])
    )

    with server.listen("/channel_control"):
        for _ in range(2):
            await done(publisher.tokens.revoke("t"))

    assert outcomes == ["sent", "sent"]
    await done(publisher.close())
