"""A primary that becomes a replica in its place: Kubernetes services, managed fail-over, DNS.

Connections to it stand, and the address leads to another Redis by then: before or after.
"""

import asyncio
import json
import urllib.error
import urllib.request

import pytest
import pytest_asyncio

from publisher import AsyncPublisher, Publisher, RedisRefused
from publisher.batch import Batch
from publisher.contract.journal import SHARE, STATE
from tests.faults.pair import Pair
from tests.integration.both import done
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
TOO_LARGE = 500  # for the journal of these tests
ORDERS = ["the address moves first", "the role moves first"]


@pytest.fixture
def pair(new_redis_server):
    pair = Pair(new_redis_server)
    with pair.link:
        yield pair


@pytest_asyncio.fixture(params=[Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
async def publisher(request, pair):
    publisher = request.param.from_url(pair.url)
    yield publisher
    await done(publisher.close())


async def publish(publisher, kind):
    if kind == "bot":
        config = {"server": "https://a.example", "access_token": "x", "channel": "!a:b"}
        return await done(publisher.chatbots.publish(config, "hi"))
    records = {"notes": ["x" * TOO_LARGE]} if "large" in kind else RECORDS
    if "batch" in kind:
        batch = Batch()
        batch.publish_records(records, group_id=7)
        await done(publisher.publish_batch(batch))
        return batch.heard[0]
    return await done(publisher.publish_records(records, group_id=7))


@pytest.mark.parametrize(
    "kind", ["records", "batch", "bot", "large records", "large records in a batch"]
)
@pytest.mark.parametrize("order", ORDERS)
async def test_what_was_published_is_at_the_primary(pair, publisher, order, kind):
    """10 of 10 calls returned 1, published at the replica, and nobody else got anything."""
    await publish(publisher, "records")
    with pair.old.client() as raw:
        raw.hset(STATE, "max_bytes", SHARE * TOO_LARGE)
    if order == ORDERS[0]:
        pair.move()
    pair.change_roles()
    channel = "chatbot/publish" if kind == "bot" else "/records"
    with pair.new.listen(channel) as listener:
        if order == ORDERS[1]:
            with pytest.raises(Exception, match="READONLY"):
                await publish(publisher, kind)
            assert listener.heard() == []
            pair.move()

        assert [await publish(publisher, kind) for _ in range(10)] == [1] * 10

        assert len(listener.heard()) == 10


async def test_ten_at_once_find_the_new_primary(pair, publisher):
    """A second try never goes over another connection that is as old: the pool is last in, first out."""

    def ten():
        calls = (asyncio.to_thread(asyncio.run, publish(publisher, "records")) for _ in range(10))
        if isinstance(publisher, AsyncPublisher):
            calls = (publish(publisher, "records") for _ in range(10))
        return asyncio.gather(*calls)

    await ten()
    pair.move()
    pair.change_roles()

    assert await ten() == [0] * 10


async def test_a_replica_is_an_error_and_says_so(pair):
    with (
        Publisher.from_url(f"unix://{pair.new.socket}", journal=False) as publisher,
        pytest.raises(RedisRefused, match="is a replica; point the Redis URL at the primary"),
    ):
        publisher.publish_records(RECORDS, group_id=7)


def health_of(server):
    """Also while it is not ready: between two subscriptions it says 503 for a moment."""
    try:
        answer = urllib.request.urlopen(f"{server.url}/ready")
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return json.load(answer)


@pytest.mark.parametrize("journal", ["redis", "off"])
@pytest.mark.parametrize("order", ORDERS)
async def test_a_server_goes_to_the_new_primary(pair, tmp_path, order, journal):
    """/ready said 200, with "journal: READONLY", until a restart."""
    settings = {"REDIS_URL": pair.url, "PROBE_SECONDS": "1", "JOURNAL": journal}
    with Program(tmp_path, **settings) as server, pair.new.client() as raw:
        server.wait_ready()
        with pair.old.client() as old:
            account = Site(old).sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            if order == ORDERS[0]:
                pair.move()
            await asyncio.to_thread(pair.change_roles)
            if order == ORDERS[1]:
                if journal == "redis":
                    await until(lambda: "READONLY" in str(health_of(server)), "it is noticed")
                pair.move()

            await until(lambda: raw.pubsub_numsub("/records")[0][1] == 1, "it listens there")
            await until(lambda: health_of(server)["status"] == "ok", "all is well")
            site = Site(raw)
            packet = site.publish(account.room, "to the new one")
            assert await page.got(1, WAITS_MS) == [packet]
            with Publisher.from_url(f"unix://{pair.new.socket}") as publisher:
                user_id = int(account.room.removeprefix("user-"))
                publisher.publish_records(RECORDS, user_id=user_id)
            assert b'"id":91' in (await page.got(1, WAITS_MS))[0]


async def test_a_server_stays_at_a_replica_that_was_named(pair, tmp_path):
    """It does not connect again and again."""
    url = f"unix://{pair.new.socket}"
    with Program(tmp_path, REDIS_URL=url, PROBE_SECONDS="1") as server, pair.old.client() as raw:
        server.wait_ready()
        await until(lambda: "READONLY" in str(health_of(server)), "it is noticed")
        account = Site(raw).sign_in()
        await asyncio.to_thread(raw.wait, 1, 5000)
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            with pair.new.client() as replica:
                before = replica.info("stats")["total_connections_received"]
                looks = lambda: replica.info("stats")["total_connections_received"] - before  # noqa: E731
                await until(lambda: looks() >= 3, "it looks for a primary")
            packet = Site(raw).publish(account.room)
            assert await page.got(1, WAITS_MS) == [packet]
        assert server.lines("Redis lost purpose=commands") == []
        assert server.lines("Redis lost purpose=subscription") == []
