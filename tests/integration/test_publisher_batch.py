"""Many messages at once, and models instead of records; with threads and with asyncio."""

import contextlib
from types import SimpleNamespace

import orjson
import pytest
import pytest_asyncio

from publisher import BatchIncomplete, InvalidMessage, ReplyLost
from publisher.batch import Batch
from publisher.contract.journal import JOURNAL, MARK
from publisher.serializers import Attribute, Attributes, Serializer
from tests.faults.link import Link
from tests.integration.both import done

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}


class NoteSerializer(Serializer[object]):
    attributes = Attributes("id", "text")
    root = "notes"


@contextlib.asynccontextmanager
async def batch_of(publisher):
    """``with`` or ``async with``, as the kind has it."""
    batch = publisher.batch()
    if hasattr(batch, "__aenter__"):
        async with batch as opened:
            yield opened
    else:
        with batch as opened:
            yield opened


@pytest.fixture
def server(new_redis_server):
    return new_redis_server()


@pytest.fixture
def redis(server):
    with server.client() as client:
        yield client


@pytest.fixture(params=[True, False], ids=["journal", "no journal"])
def journal(request):
    return request.param


@pytest_asyncio.fixture
async def publisher(kind, server, journal):
    publisher = kind.from_url(server.url, timeout_s=2, journal=journal)
    yield publisher
    await done(publisher.close())


async def test_models_are_published_as_records(publisher, server):
    note = SimpleNamespace(id=5, text="hi")
    with server.listen("/records") as listener:
        heard = await done(publisher.publish_models([note], serializer=NoteSerializer, user_id=7))
        assert heard == 1
        assert await done(publisher.publish_models([], group_id=7)) == 0

        (message,) = listener.heard()

    assert orjson.loads(message[1]) == {
        "room": "user-7",
        "records": {"notes": [{"id": 5, "text": "hi"}]},
    }


async def test_a_group_sees_nothing_that_is_for_one_user(publisher, server):
    class ScopedSerializer(Serializer[object]):
        attributes = Attributes("id")
        root = "notes"

        @classmethod
        def record_of(cls, model, scope):
            return {"id": model.id, "for": scope.current_user_id}

    note = SimpleNamespace(id=5)
    with server.listen("/records") as listener:
        for ids in ({"user_id": 7}, {"user_id": 7, "group_id": 3}):
            await done(publisher.publish_models(note, serializer=ScopedSerializer, **ids))

        told = [orjson.loads(payload) for _, payload in listener.heard()]

    assert [(each["room"], each["records"]["notes"][0]["for"]) for each in told] == [
        ("user-7", 7),
        ("group-3", None),
    ]


@pytest.mark.parametrize("ids", [{"group_id": ""}, {"user_id": True}, {"user_id": 7.0}])
async def test_a_wrong_id_is_found_before_anything_is_serialised(publisher, ids):
    with pytest.raises(InvalidMessage, match="must be an int"):
        await done(publisher.publish_models([object()], **ids))


async def test_a_batch_arrives_in_order_and_says_who_has_heard(publisher, server, journal):
    with server.listen("/records", "/system_notice") as listener:
        async with batch_of(publisher) as batch:
            for number in range(1, 1_201):
                batch.publish_records(RECORDS, user_id=number)
            batch.publish_system_notice("done")
            assert len(batch) == 1_201

        heard = listener.heard()

    assert batch.heard == [1] * 1_201
    rooms = [orjson.loads(payload).get("room") for _, payload in heard]
    assert rooms == [*(f"user-{number}" for number in range(1, 1_201)), None]
    assert all(payload.endswith(MARK) is journal for _, payload in heard)


async def test_a_batch_is_in_the_journal(publisher, redis, journal):
    async with batch_of(publisher) as batch:
        for number in range(1, 4):
            batch.publish_records(RECORDS, user_id=number)

    kept = [entry for _, entry in redis.xrange(JOURNAL) if entry[b"k"] == b"l"]
    assert len(kept) == (3 if journal else 0)


async def test_an_error_in_the_block_publishes_nothing(publisher, server):
    with server.listen("/records") as listener:
        with pytest.raises(InvalidMessage):  # noqa: PT012 - the block is what raises
            async with batch_of(publisher) as batch:
                batch.publish_records(RECORDS, user_id=1)
                batch.publish_records(RECORDS, user_id="")
        await done(publisher.publish_records({"after": []}, user_id=1))

        assert len(listener.heard()) == 1


async def test_an_empty_batch_is_no_command(kind):
    publisher = kind.from_url("redis://127.0.0.1:1")
    async with batch_of(publisher) as batch:
        assert len(batch) == 0
    await done(publisher.close())


async def test_one_round_trip(kind, server, journal):
    with Link(server.socket) as link:
        url = f"redis://127.0.0.1:{link.port}"
        publisher = kind.from_url(url, journal=journal)
        async with batch_of(publisher) as batch:
            for number in range(1, 1_001):
                batch.publish_records(RECORDS, user_id=number)
        await done(publisher.close())

        # By its name, which this Redis does not know; then in full.
        assert sum(data.count(b"EVALSHA") for data in link.sent) == 1
        assert sum(data.count(b"EVAL\r\n") for data in link.sent) == 1


async def test_several_rooms_are_one_round_trip(kind, server, journal):
    with Link(server.socket) as link, server.listen("/records") as listener:
        publisher = kind.from_url(f"redis://127.0.0.1:{link.port}", journal=journal)
        await done(publisher.publish_records(RECORDS, group_id=9))
        before = len(link.sent)

        heard = await done(
            publisher.publish_records(RECORDS, group_ids=[1, "t-1", 1], user_ids=[5])
        )
        await done(publisher.close())

        assert heard == 3
        rooms = [orjson.loads(payload)["room"] for _, payload in listener.heard()]
    assert rooms == ["group-9", "group-1", "group-t-1", "user-5"]
    assert sum(b"EVAL" in part for part in link.sent[before:]) in {1, 2}  # it is sent in full once


class SeenSerializer(Serializer[object]):
    attributes = Attributes("id", "is_mine")
    root = "notes"
    is_mine = Attribute(get=lambda note, scope: scope.is_current_user(note.author_id))


async def test_models_are_serialised_for_each_user_and_once_for_all_groups(publisher, server):
    note = SimpleNamespace(id=1, author_id=5)
    with server.listen("/records") as listener:
        await done(
            publisher.publish_models(
                note, serializer=SeenSerializer, group_ids=[1, 2], user_ids=[5, 6]
            )
        )
        assert (
            await done(publisher.publish_models(note, serializer=SeenSerializer, group_ids=[]))
            == 0
        )

        found = [orjson.loads(payload) for _, payload in listener.heard()]
    assert {each["room"]: each["records"]["notes"][0]["is_mine"] for each in found} == {
        "group-1": False,
        "group-2": False,
        "user-5": True,
        "user-6": False,
    }


async def test_an_answer_that_never_comes_leaves_it_open_what_was_sent(kind, server):
    publisher = kind.from_url(server.url, timeout_s=0.1)
    await done(publisher.publish_records(RECORDS, user_id=1))
    server.pause()
    try:
        with pytest.raises(BatchIncomplete) as caught:
            async with batch_of(publisher) as batch:
                batch.publish_records(RECORDS, user_id=2)
    finally:
        server.resume()
        await done(publisher.close())

    assert isinstance(caught.value.cause, ReplyLost)
    assert caught.value.maybe_sent
    assert (caught.value.sent, caught.value.unsent) == ((), ())


async def test_where_scripts_are_forbidden_it_is_a_pipeline(kind, server, redis):
    redis.execute_command("ACL", "SETUSER", "default", "-@scripting")
    with Link(server.socket) as link, server.listen("/records") as listener:
        publisher = kind.from_url(f"redis://127.0.0.1:{link.port}")
        async with batch_of(publisher) as batch:
            for number in range(1, 1_001):
                batch.publish_records(RECORDS, user_id=number)
        await done(publisher.close())

        rooms = [orjson.loads(payload)["room"] for _, payload in listener.heard()]
    assert rooms == [f"user-{number}" for number in range(1, 1_001)]
    assert batch.heard == [1] * 1_000
    # All are written before the first answer is read: fewer writes than messages.
    assert len(link.sent) < 100


async def test_where_only_some_channels_are_allowed_the_others_are_named(kind, server, redis):
    redis.execute_command(
        "ACL", "SETUSER", "few", "on", "nopass", "resetchannels", "&/records", "+publish"
    )
    publisher = kind.from_url(server.url.replace("unix://", "unix://few:x@"))

    with (  # noqa: PT012 - as above
        server.listen("/records"),
        pytest.raises(BatchIncomplete, match="NOPERM") as caught,
    ):
        async with batch_of(publisher) as batch:
            batch.publish_records(RECORDS, user_id=1)
            batch.publish_system_notice("hi")
            batch.publish_records(RECORDS, user_id=2)

    assert (caught.value.sent, caught.value.unsent) == ((0, 2), (1,))
    await done(publisher.close())


async def test_the_rest_of_a_batch_can_be_sent_later_and_nothing_twice(kind, server):
    publisher = kind.from_url("redis://127.0.0.1:1", timeout_s=0.2)
    with pytest.raises(BatchIncomplete) as caught:  # noqa: PT012 - as above
        async with batch_of(publisher) as batch:
            for number in range(1, 4):
                batch.publish_records(RECORDS, user_id=number)
    await done(publisher.close())
    publisher = kind.from_url(server.url)

    with pytest.raises(InvalidMessage, match="published before"):
        await done(publisher.publish_batch(batch))
    with pytest.raises(InvalidMessage, match="nothing can be added"):
        batch.publish_records(RECORDS, user_id=4)
    with server.listen("/records") as listener:
        await done(publisher.publish_batch(batch.only(caught.value.unsent[1:])))
        rooms = [orjson.loads(payload)["room"] for _, payload in listener.heard()]

    assert rooms == ["user-2", "user-3"]
    await done(publisher.close())


async def test_what_was_never_tried_is_known_to_be_unsent(kind, server):
    publisher = kind.from_url(server.url, timeout_s=0.3)
    await done(publisher.publish_records(RECORDS, user_id=1))
    batch = Batch()
    for number in range(1, 1_203):
        batch.publish_records(RECORDS, user_id=number)
    server.pause()
    try:
        with pytest.raises(BatchIncomplete, match="of the others nobody knows") as caught:
            await done(publisher.publish_batch(batch))
    finally:
        server.resume()
        await done(publisher.close())

    assert caught.value.sent == ()
    assert caught.value.unsent == tuple(range(1_000, 1_202))


async def test_a_message_for_nobody_is_not_kept(publisher, redis):
    async with batch_of(publisher) as batch:
        batch.publish_records(RECORDS, to_nobody=True)

    assert not [entry for _, entry in redis.xrange(JOURNAL) if entry[b"k"] == b"l"]
    assert batch.heard == [0]


@pytest.mark.parametrize("bound", [("maxmemory", "1"), ("min-replicas-to-write", "1")])
async def test_a_redis_that_takes_no_writes_publishes_and_keeps_nothing(
    publisher, server, redis, bound
):
    redis.config_set(*bound)

    with server.listen("/records") as listener:
        async with batch_of(publisher) as batch:
            for number in range(3):
                batch.publish_records({"n": [number]}, group_id=1)

        assert batch.heard == [1, 1, 1]
        assert len(listener.heard()) == 3
    assert not redis.exists(JOURNAL)


async def test_what_is_neither_kept_nor_heard_is_named(kind, server, redis):
    redis.set(JOURNAL, "x")
    publisher = kind.from_url(server.url)

    with pytest.raises(BatchIncomplete, match="is lost") as caught:  # noqa: PT012 - as above
        async with batch_of(publisher) as batch:
            batch.publish_records(RECORDS, user_id=1)
            batch.publish_records(RECORDS, user_id=2)

    assert (caught.value.sent, caught.value.unsent) == ((), (0, 1))
    await done(publisher.close())


async def test_a_redis_that_is_away_is_said(kind):
    publisher = kind.from_url("redis://127.0.0.1:1", timeout_s=0.2)

    with pytest.raises(
        BatchIncomplete, match="0 messages of the batch were sent, 1 were not: Redis"
    ):
        async with batch_of(publisher) as batch:
            batch.publish_records(RECORDS, user_id=1)
    await done(publisher.close())
