"""Publishing with a client of the application's own, and with options for redis-py."""

import asyncio
import copy
import pickle

import orjson
import pytest
import redis
import redis.asyncio
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.sentinel import Sentinel

from publisher import (
    AsyncPublisher,
    BatchIncomplete,
    ConfigError,
    Publisher,
    PublishError,
    RedisRefused,
    ReplyLost,
)
from publisher.batch import Batch
from publisher.contract.journal import JOURNAL
from publisher.deadline import begin
from publisher.settings import Settings
from tests.faults.cluster import Cluster
from tests.faults.pair import Pair
from tests.faults.sentinels import NAME, House
from tests.integration.both import done

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ANN = {"id": 5, "name": "Ann"}
CLIENTS = {"blocking": redis.Redis, "asyncio": redis.asyncio.Redis}


def publisher_with(client, **options):
    kind = AsyncPublisher if asyncio.iscoroutinefunction(client.execute_command) else Publisher
    return kind(client=client, **options)


async def close(client):
    await done(client.aclose() if hasattr(client, "aclose") else client.close())


async def use(publisher):
    """All kinds of calls. Return what came of them."""
    results = [
        await done(publisher.publish_records(RECORDS, group_id=7)),
        await done(publisher.publish_system_notice("soon")),
    ]
    tokens = [await done(publisher.tokens.issue(ANN, group_ids=[1])) for _ in range(3)]
    results += [
        await done(publisher.replace_groups(5, [2])),
        await done(publisher.tokens.revoke(tokens[0])),
        await done(publisher.tokens.revoke_user(5)),
        await done(publisher.disconnect_user(5)),
    ]
    assert await done(publisher.ping()) >= 0
    await done(publisher.close())
    return results


@pytest.mark.parametrize("kind", CLIENTS)
@pytest.mark.parametrize("options", [{}, {"decode_responses": True}, {"protocol": 3}], ids=repr)
async def test_a_client_of_any_kind_does(redis_server, kind, options):
    client = CLIENTS[kind].from_url(redis_server.url, **options)
    with redis_server.listen("/records", "/system_notice") as listener:
        assert await use(publisher_with(client)) == [1, 1, 3, True, 2, 0]

        assert [channel for channel, _ in listener.heard()] == ["/records", "/system_notice"]
    assert await done(client.ping())  # it was not closed
    await close(client)


async def test_the_time_of_an_earlier_call_is_not_that_of_a_client(new_redis_server):
    """Found by the whole suite: another publisher's call, long ago, had ended this one's time."""
    server = new_redis_server()
    client = redis.asyncio.Redis.from_url(server.url)
    await client.ping()
    begin(0.0)
    server.pause()
    asyncio.get_running_loop().call_later(0.3, server.resume)

    assert await AsyncPublisher(client=client).publish_records(RECORDS, group_id=7) == 0
    await close(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_batch_goes_with_a_client(redis_server, kind):
    client = CLIENTS[kind].from_url(redis_server.url)
    publisher = publisher_with(client, settings=Settings(journal=False))
    with redis_server.listen("/records") as listener:
        if kind == "blocking":
            with publisher.batch() as batch:
                batch.publish_records(RECORDS, group_id=1)
                batch.publish_records(RECORDS, group_id=2)
        else:
            async with publisher.batch() as batch:
                batch.publish_records(RECORDS, group_id=1)
                batch.publish_records(RECORDS, group_id=2)

        rooms = [orjson.loads(payload)["room"] for _, payload in listener.heard()]
    assert rooms == ["group-1", "group-2"]
    await close(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_clients_errors_are_ours(new_redis_server, kind):
    server = new_redis_server("--requirepass", "s3cret", password="s3cret")
    client = CLIENTS[kind].from_url(f"unix://{server.socket}")
    with pytest.raises(RedisRefused, match="check the user name") as refused:
        await done(publisher_with(client).publish_records(RECORDS, group_id=7))
    server.stop()
    with pytest.raises(ReplyLost) as lost:
        await done(publisher_with(client).publish_records(RECORDS, group_id=7))

    assert refused.value.__cause__ is None
    assert lost.value.maybe_sent
    await close(client)


@pytest.mark.parametrize("kind", CLIENTS)
async def test_the_client_of_sentinels_follows_a_fail_over(
    tmp_path_factory, new_redis_server, kind
):
    with House(tmp_path_factory.mktemp("sentinels"), Pair(new_redis_server)) as house:
        finder = Sentinel if kind == "blocking" else AsyncSentinel
        places = [("127.0.0.1", sentinel.port) for sentinel in house.sentinels]
        sentinels = finder(places, socket_timeout=1)
        client = sentinels.master_for(NAME)
        publisher = publisher_with(client)
        await done(publisher.publish_records({"n": [1]}, group_id=7))

        house.primary.kill()
        async with asyncio.timeout(20):
            while not await is_published(publisher):
                await asyncio.to_thread(house.sentinels[0].is_up)

        with house.replica.client() as raw:
            assert b'"n":[2]' in raw.xrange(JOURNAL)[-1][1][b"d"]
        for each in (client, *sentinels.sentinels):
            await close(each)


async def is_published(publisher):
    try:
        await done(publisher.publish_records({"n": [2]}, group_id=7))
    except PublishError:
        return False
    return True


@pytest.mark.parametrize("kind", CLIENTS)
async def test_a_client_of_a_cluster_does(new_redis_server, kind):
    cluster = Cluster(new_redis_server)
    home = redis if kind == "blocking" else redis.asyncio
    host, port = cluster.url.removeprefix("redis+cluster://").split(",")[0].split(":")
    client = home.RedisCluster(host=host, port=int(port.split("/")[0]))

    assert await use(publisher_with(client)) == [0, 0, 3, True, 2, 0]
    await close(client)


WRONG = {
    "a URL": (lambda: Publisher("redis://localhost"), "use from_url"),
    "a client": (lambda: Publisher(redis.Redis()), "as client="),
    "no client": (lambda: Publisher(client="redis://localhost"), "must be a redis.Redis"),
    "another kind": (lambda: AsyncPublisher(client=redis.Redis()), "must be a redis.asyncio"),
    "the other kind": (lambda: Publisher(client=redis.asyncio.Redis()), "must be a redis.Redis"),
    "an unknown option": (lambda: Publisher.from_url("redis://h", nodelay=1), "nodelay"),
    "an option of ours": (lambda: Publisher.from_url("redis://h", protocol=3), "depends on it"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_makes_no_publisher_is_said(wrong):
    make, words = WRONG[wrong]

    with pytest.raises(ConfigError, match=words):
        make()


@pytest.mark.parametrize("kind", [Publisher, AsyncPublisher])
@pytest.mark.parametrize("copying", [pickle.dumps, copy.copy, copy.deepcopy])
async def test_a_publisher_is_not_sent_elsewhere(kind, copying):
    with pytest.raises(PublishError, match="make one in each process"):
        copying(kind())


@pytest.mark.parametrize("kind", [Publisher, AsyncPublisher])
async def test_options_reach_redis(kind, redis_server):
    publisher = kind.from_url(redis_server.url, client_name="shop", health_check_interval=30)
    await done(publisher.ping())

    with redis_server.client() as raw:
        assert "shop" in [client["name"] for client in raw.client_list()]
    await done(publisher.close())


class Forgetful(redis.Redis):
    """Loses the second answer to a PUBLISH, which has been executed."""

    published = 0

    def execute_command(self, *words, **options):
        answer = super().execute_command(*words, **options)
        self.published += words[0] == "PUBLISH"
        if self.published == 2:
            raise redis.ConnectionError("Connection closed by server.")
        return answer


async def test_an_answer_that_a_client_loses_is_unknown_and_what_is_behind_it_unsent(
    new_redis_server,
):
    """It was told as not sent, and who obeyed delivered it twice."""
    server = new_redis_server()
    with server.client() as raw:
        raw.execute_command(
            "ACL", "SETUSER", "app", "on", ">pw", "~*", "&*", "+@all", "-@scripting"
        )
    told = []
    url = server.url.replace("unix://", "unix://app:pw@")
    with Forgetful.from_url(url) as client, server.listen("/records") as listener:
        publisher = Publisher(client=client, on_publish=lambda *about: told.append(about[3]))
        batch = Batch()
        for _ in range(3):
            batch.publish_records(RECORDS, group_id=7)
        with pytest.raises(BatchIncomplete) as caught:
            publisher.publish_batch(batch)
        assert len(listener.heard()) == 2

    assert (caught.value.sent, caught.value.unsent) == ((0,), (2,))
    assert caught.value.maybe_sent
    assert told == ["sent", "unknown", "unsent"]


async def test_what_no_client_is_is_refused():
    with pytest.raises(ConfigError, match=r"must be a redis\.Redis, not its class"):
        Publisher(client=redis.Redis)
    with (
        redis.Redis() as client,
        client.pipeline() as pipeline,
        pytest.raises(ConfigError, match="not a Pipeline"),
    ):
        Publisher(client=pipeline)


async def test_a_client_without_a_free_connection_has_sent_nothing(redis_server):
    with redis.Redis.from_url(redis_server.url, max_connections=1) as client:
        taken = client.connection_pool.get_connection()
        with pytest.raises(PublishError, match="no connection became free") as caught:
            Publisher(client=client).publish_records(RECORDS, group_id=7)
        client.connection_pool.release(taken)

    assert caught.value.maybe_sent is False


async def test_a_client_of_asyncio_without_a_free_connection_has_sent_nothing(redis_server):
    client = redis.asyncio.Redis.from_url(redis_server.url, max_connections=1)
    taken = await client.connection_pool.get_connection()
    with pytest.raises(PublishError, match="no connection became free") as caught:
        await AsyncPublisher(client=client).publish_records(RECORDS, group_id=7)
    await client.connection_pool.release(taken)
    await client.aclose()

    assert caught.value.maybe_sent is False
