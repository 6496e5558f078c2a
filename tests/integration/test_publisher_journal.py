"""Publishing into the journal: once, whatever happens to the answer; and where that is not allowed."""

import asyncio
import logging

import orjson
import pytest
import pytest_asyncio

from publisher import Publisher, RedisRefused, ReplyLost
from publisher.contract.journal import JOURNAL, MARK
from tests.faults.link import Link
from tests.integration.both import done

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ON_WIRE = b'{"room":"group-7","records":{"events":[{"id":91}]}}'
ANN = {"id": 123, "name": 'Ann/Ä "x"'}


@pytest.fixture
def server(new_redis_server):
    return new_redis_server()


@pytest.fixture
def redis(server):
    with server.client() as client:
        yield client


@pytest_asyncio.fixture
async def publisher(kind, server):
    publisher = kind.from_url(server.url, timeout_s=2)
    yield publisher
    await done(publisher.close())


def kept(redis):
    return [
        (entry[b"c"].decode(), entry[b"d"])
        for _, entry in redis.xrange(JOURNAL)
        if entry[b"k"] == b"l"
    ]


async def test_a_message_is_in_the_journal_and_is_published_with_the_mark(
    publisher, server, redis
):
    """The mark is white space: who does not know it reads the same JSON."""
    with server.listen("/records") as listener:
        assert await done(publisher.publish_records(RECORDS, group_id=7)) == 1

        assert listener.heard() == [("/records", ON_WIRE + MARK)]
    assert orjson.loads(ON_WIRE + MARK) == orjson.loads(ON_WIRE)
    assert kept(redis) == [("/records", ON_WIRE)]


async def test_a_message_survives_while_nobody_listens(publisher, redis):
    assert await done(publisher.publish_records(RECORDS, group_id=7)) == 0
    assert await done(publisher.publish_system_notice("Hi")) == 0

    assert [channel for channel, _ in kept(redis)] == ["/records", "/system_notice"]


async def test_a_message_for_nobody_is_not_kept(publisher, redis):
    """It is private, and no client will ever ask for it."""
    await done(publisher.publish_records(RECORDS, to_nobody=True))

    assert redis.keys() == []


async def test_without_a_journal_nothing_is_kept(kind, server, redis):
    publisher = kind.from_env({"REDIS_URL": server.url, "JOURNAL": "memory"})

    await done(publisher.publish_records(RECORDS, group_id=7))
    await done(publisher.disconnect_user(5))
    await done(publisher.tokens.revoke("t"))
    await done(publisher.close())

    assert not redis.exists(JOURNAL)


async def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_comes_twice(
    kind, server, redis
):
    """The first try has reached Redis, and only the way back is broken."""
    with Link(server.socket) as link, server.listen("/records") as listener:
        publisher = kind.from_url(f"redis://127.0.0.1:{link.port}", timeout_s=2)
        await done(publisher.publish_records({"warm": 1}, group_id=7))
        server.pause()
        resume = asyncio.get_running_loop().call_later
        publishing = asyncio.create_task(
            asyncio.to_thread(publisher.publish_records, RECORDS, group_id=7)
            if kind is Publisher
            else publisher.publish_records(RECORDS, group_id=7)
        )
        resume(1.2, server.resume)  # after the first time-out of 1 s, before the last

        assert await publishing == 1
        await done(publisher.close())

        assert [payload for _, payload in listener.heard()][1:] == [ON_WIRE + MARK]
    assert kept(redis)[1:] == [("/records", ON_WIRE)]


async def test_an_answer_that_never_comes_is_reported_after_three_attempts(kind, server):
    publisher = kind.from_url(server.url, timeout_s=0.1)
    await done(publisher.publish_records(RECORDS, group_id=7))
    server.pause()

    with pytest.raises(ReplyLost) as caught:
        await done(publisher.publish_records(RECORDS, group_id=7))

    server.resume()
    await done(publisher.close())
    assert caught.value.maybe_sent


async def test_redis_that_has_forgotten_the_script_is_taught_again(publisher, redis):
    await done(publisher.publish_records(RECORDS, group_id=7))
    redis.script_flush()

    await done(publisher.publish_records(RECORDS, group_id=7))

    assert len(kept(redis)) == 2


async def test_where_scripts_are_forbidden_messages_are_published_plainly_and_that_is_said_once(
    kind, server, redis, caplog
):
    redis.execute_command("ACL", "SETUSER", "default", "-@scripting")
    publisher = kind.from_url(server.url, timeout_s=2)
    caplog.set_level(logging.WARNING)

    with server.listen("/records") as listener, server.listen("/channel_control"):
        for _ in range(3):
            assert await done(publisher.publish_records(RECORDS, group_id=7)) == 1
        token = await done(publisher.tokens.issue(ANN, group_ids=[1]))
        assert await done(publisher.tokens.revoke(token)) is True
        await done(publisher.close())

        assert listener.heard() == [("/records", ON_WIRE)] * 3
    assert [record.name for record in caplog.records] == ["publisher.journaling"]


@pytest.mark.parametrize("cause", ["wrong type", "no memory", "too few replicas"])
async def test_a_journal_that_cannot_be_written_does_not_stop_the_message(
    publisher, server, redis, cause
):
    await done(publisher.publish_records(RECORDS, group_id=7))
    with server.listen("/records") as listener:
        if cause == "wrong type":
            redis.set(JOURNAL, "x")
        elif cause == "no memory":
            redis.config_set("maxmemory", "1")
        else:
            redis.config_set("min-replicas-to-write", "1")

        assert await done(publisher.publish_records(RECORDS, group_id=7)) == 1

        assert listener.heard() == [("/records", ON_WIRE)]


async def test_a_message_that_is_neither_kept_nor_heard_is_an_error(publisher, redis):
    """No server listens, and Redis is full: nobody could ever be told that it was missed."""
    redis.config_set("maxmemory", "1")

    with pytest.raises(RedisRefused, match="is lost"):
        await done(publisher.publish_records(RECORDS, group_id=7))


@pytest.mark.parametrize(
    "order",
    [
        lambda publisher: publisher.disconnect_user(1),
        lambda publisher: publisher.replace_groups(1, [2]),
        lambda publisher: publisher.tokens.revoke("t"),
        lambda publisher: publisher.tokens.revoke_user(1),
    ],
    ids=["disconnect", "replace groups", "revoke", "revoke user"],
)
async def test_an_order_that_is_neither_kept_nor_heard_is_an_error(publisher, redis, order):
    """Found in review: the token was deleted, and who had come with it went on listening."""
    await done(publisher.tokens.issue(ANN, group_ids=[], token="t"))
    redis.set(JOURNAL, "x")

    with pytest.raises(RedisRefused, match="is lost"):
        await done(order(publisher))

    redis.delete(JOURNAL)
    await done(order(publisher))


async def test_a_token_that_cannot_be_stored_is_an_error(publisher, redis):
    redis.config_set("maxmemory", "1")

    with pytest.raises(RedisRefused) as caught:
        await done(publisher.tokens.issue(ANN, group_ids=[]))

    assert caught.value.code == "OOM"


# ── orders ──────────────────────────────────────────────────────────────────────────────────────


async def test_replacing_groups_rewrites_all_records_and_keeps_their_time(publisher, redis):
    await done(publisher.tokens.issue(ANN, group_ids=[1, 2], token="short", ttl=100))
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="for-ever", ttl=None))
    await done(publisher.tokens.issue({"id": 9, "name": "Ben"}, group_ids=[1], token="ben"))

    assert await done(publisher.replace_groups(123, [3, 4, 3])) == 2

    for token in ("short", "for-ever"):
        assert orjson.loads(redis.get(f"/current_users/{token}")) == {
            "name": ANN["name"],
            "group_ids": [3, 4],
            "id": 123,
        }
    assert 90 <= redis.ttl("/current_users/short") <= 100
    assert redis.ttl("/current_users/for-ever") == -1
    assert orjson.loads(redis.get("/current_users/ben"))["group_ids"] == [1]
    assert kept(redis) == [
        ("/channel_control", b'{"action":"set_groups","user_id":123,"group_ids":[3,4]}')
    ]


async def test_no_groups_at_all_are_an_empty_list(publisher, redis):
    """Lua knows no difference between an empty list and an empty object; the Node program does."""
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))

    await done(publisher.replace_groups(123, []))

    assert b'"group_ids":[]' in redis.get("/current_users/t")


@pytest.mark.parametrize(
    "stored", [b"null", b"7", b'{"id":9,"name":"x","group_ids":[1]}', b'{"name":"x"}']
)
async def test_a_record_that_is_somebody_elses_by_now_is_left_alone(publisher, redis, stored):
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))
    redis.set("/current_users/t", stored)

    assert await done(publisher.replace_groups(123, [5])) == 0

    assert redis.get("/current_users/t") == stored


@pytest.mark.parametrize("stored", [b"junk", b'{"id":123,"name":"\\ud800","group_ids":[1]}'])
async def test_a_record_that_cannot_be_read_is_forgotten(publisher, redis, stored):
    """Found in review: it kept the old groups, for the next visit. A page load stores it anew."""
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))
    redis.set("/current_users/t", stored)

    assert await done(publisher.replace_groups(123, [5])) == 0

    assert redis.get("/current_users/t") is None


async def test_a_token_that_is_somebody_elses_by_now_is_not_revoked(publisher, redis):
    """Found in review: signed out and in as another user, on the same page."""
    await done(publisher.tokens.issue(ANN, group_ids=[1], token="t"))
    await done(publisher.tokens.issue({"id": 9, "name": "Ben"}, group_ids=[1], token="t"))

    assert await done(publisher.tokens.revoke_user(123)) == 0

    assert redis.exists("/current_users/t")


UUID = "3f2a8c1e-0b7d-4e55-9a51-6f1f5f0c2d11"


@pytest.mark.parametrize(
    ("stored", "named"),
    [(7, "7"), ("7", 7), (0, 0), (-3, "-3"), (2**63 - 1, str(2**63 - 1)), (UUID, UUID)],
    ids=repr,
)
async def test_a_record_keeps_its_kind_of_id(publisher, redis, stored, named):
    """The number 7 and the text 7 are the same user."""
    await done(publisher.tokens.issue({"id": stored, "name": "x"}, group_ids=[1], token="t"))

    assert await done(publisher.replace_groups(named, ["team-1", 2])) == 1

    record = orjson.loads(redis.get("/current_users/t"))
    assert record == {"name": "x", "group_ids": ["team-1", 2], "id": stored}
    assert await done(publisher.tokens.revoke_user(named)) == 1


@pytest.mark.parametrize(
    ("stored", "named"), [(7, "007"), (1000, "1e3"), (16, "0x10"), ("1e3", 1000), ("a", "A")]
)
async def test_texts_that_only_look_like_the_number_are_others(publisher, redis, stored, named):
    """A token that was issued to one of them, and then to the other."""
    for user_id in (named, stored):
        await done(publisher.tokens.issue({"id": user_id, "name": "x"}, group_ids=[1], token="t"))

    assert await done(publisher.replace_groups(named, [2])) == 0
    assert await done(publisher.tokens.revoke_user(named)) == 0

    assert orjson.loads(redis.get("/current_users/t"))["id"] == stored


@pytest.mark.parametrize("user_id", [2**53 - 1, 2**53 + 1, 2**63 - 1, -(2**63)])
async def test_large_ids_stay_whole(publisher, redis, user_id):
    """Lua's numbers are floats."""
    await done(publisher.tokens.issue({"id": user_id, "name": None}, group_ids=[1], token="t"))

    assert await done(publisher.replace_groups(user_id, [user_id])) == 1

    assert orjson.loads(redis.get("/current_users/t")) == {
        "name": None,
        "group_ids": [user_id],
        "id": user_id,
    }


async def test_revoking_a_user_deletes_all_tokens_that_were_issued(publisher, redis):
    for number in range(5):
        await done(publisher.tokens.issue(ANN, group_ids=[], token=f"t{number}"))
    await done(publisher.tokens.issue({"id": 9, "name": "Ben"}, group_ids=[], token="ben"))

    assert await done(publisher.tokens.revoke_user(123)) == 5
    assert await done(publisher.tokens.revoke_user(123)) == 0

    assert redis.keys("/current_users/*") == [b"/current_users/ben"]
    assert kept(redis)[0] == ("/channel_control", b'{"action":"hang_up","user_id":123}')


async def test_a_revoked_token_is_not_named_in_the_order(publisher, redis):
    await done(publisher.tokens.issue(ANN, group_ids=[], token="very-secret"))

    assert await done(publisher.tokens.revoke("very-secret")) is True

    ((channel, order),) = kept(redis)
    assert channel == "/channel_control"
    assert b"secret" not in order
    assert len(orjson.loads(order)["token_sha256"]) == 64


async def test_the_set_of_tokens_does_not_grow_with_the_page_loads(publisher, redis):
    """Sites that issue a token for each page load would fill Redis."""
    for number in range(300):
        await done(publisher.tokens.issue(ANN, group_ids=[], token=f"t{number}"))
        redis.delete(f"/current_users/t{number}")

    assert redis.scard("{channel_server}:tokens:123") < 30


async def test_the_set_outlives_its_tokens(publisher, redis):
    await done(publisher.tokens.issue(ANN, group_ids=[], token="long", ttl=10_000))
    await done(publisher.tokens.issue(ANN, group_ids=[], token="short", ttl=10))

    assert redis.ttl("{channel_server}:tokens:123") >= 10_000 + 86_000


@pytest.mark.parametrize("user_id", [True, "", "a b", 1.0, None])
async def test_who_is_no_user_is_refused(publisher, user_id):
    for order in (publisher.disconnect_user, publisher.tokens.revoke_user):
        with pytest.raises(ValueError, match="user_id"):
            await done(order(user_id))
    with pytest.raises(ValueError, match="user_id"):
        await done(publisher.replace_groups(user_id, []))


@pytest.mark.parametrize("group_ids", ["12", b"12", 5, None, [1.0], [""], [True]], ids=repr)
async def test_what_are_no_groups_is_refused(publisher, redis, group_ids):
    with pytest.raises(ValueError, match="group_ids"):
        await done(publisher.replace_groups(5, group_ids))

    assert redis.keys() == []
