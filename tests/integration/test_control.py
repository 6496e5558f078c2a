"""Orders of the application: who is removed hears nothing more, who joins hears at once."""

import asyncio
import json
import uuid

import pytest
import pytest_asyncio

from publisher import Publisher
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site, new_id

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


class Application:
    """Publishes with the library, and signs users in with it."""

    def __init__(self, publisher):
        self.publisher = publisher

    def sign_in(self, *group_ids, **options):
        """Issue a token. Return it and the user's id."""
        user_id = new_id()
        token = self.publisher.tokens.issue(
            {"id": user_id, "name": "Ann"}, group_ids=group_ids, **options
        )
        return token, user_id

    def to_group(self, group_id, body):
        """Publish to a group. Return the packet that members get."""
        records = {"comments": [{"body": body}]}
        self.publisher.publish_records(records, group_id=group_id)
        message = {"room": f"group-{group_id}", "records": records}
        return b'42["records",' + json.dumps(message, separators=(",", ":")).encode() + b"]"


@pytest.fixture
def own_redis(new_redis_server):
    return new_redis_server()


@pytest.fixture
def redis(own_redis):
    with own_redis.client() as client:
        yield client


@pytest.fixture(params=["redis", "memory", "off"])
def journal(request):
    """Each way in which orders travel."""
    return request.param


@pytest.fixture
def application(own_redis, journal):
    with Publisher.from_url(own_redis.url, journal=journal == "redis") as publisher:
        yield Application(publisher)


@pytest.fixture
def server(own_redis, journal, tmp_path):
    with Program(tmp_path, REDIS_URL=own_redis.url, JOURNAL=journal) as program:
        yield program.wait_ready()


@pytest_asyncio.fixture
async def pages(server):
    async with pages_of(server.port) as pages:
        yield pages


async def test_a_disconnected_user_is_hung_up_and_may_return(pages, application, transport):
    group = new_id()
    (token, user_id), (other_token, _) = application.sign_in(group), application.sign_in(group)
    tabs = [await pages.enter(token, transport) for _ in range(2)]
    other = await pages.enter(other_token, transport)

    assert application.publisher.disconnect_user(user_id) == 1

    for tab in tabs:
        # A poll that waits just then is told by a packet.
        assert await tab.closed() in ([], ["1"])
    again = await pages.enter(token, transport)
    packet = application.to_group(group, "hi")
    assert await again.got() == await other.got() == [packet]


async def test_groups_change_at_once_and_for_the_next_visit(pages, application, redis):
    old, kept, new = new_id(), new_id(), new_id()
    token, user_id = application.sign_in(old, kept)
    page = await pages.enter(token)

    assert application.publisher.replace_groups(user_id, [kept, new]) == 1

    application.to_group(old, "not for you")
    packets = [application.to_group(group, "hi") for group in (new, kept)]
    assert await page.got(2) == packets
    assert json.loads(redis.get(f"/current_users/{token}"))["group_ids"] == [kept, new]
    again = await pages.enter(token)
    application.to_group(old, "not for you")
    packet = application.to_group(new, "hi again")
    assert await again.got() == await page.got() == [packet]


async def test_leaving_all_groups_leaves_notices_and_ones_own_room(pages, application):
    group = new_id()
    token, user_id = application.sign_in(group)
    page = await pages.enter(token)

    application.publisher.replace_groups(user_id, [])

    application.to_group(group, "not for you")
    application.publisher.publish_records({"a": []}, user_id=user_id)
    application.publisher.publish_system_notice("soon")
    own, notice = await page.got(2)
    assert f"user-{user_id}".encode() in own
    assert b"soon" in notice


async def test_a_revoked_token_opens_nothing_and_other_tokens_go_on(pages, application):
    group = new_id()
    token, user_id = application.sign_in(group)
    second = application.publisher.tokens.issue({"id": user_id, "name": "x"}, group_ids=[group])
    lost, kept = await pages.enter(token), await pages.enter(second)

    assert application.publisher.tokens.revoke(token) is True

    assert await lost.closed() == []
    visitor = await pages.enter(token)
    packet = application.to_group(group, "members only")
    application.publisher.publish_system_notice("for all")
    assert (await kept.got()) == [packet]
    assert b"for all" in (await visitor.got())[0]


async def test_a_revoked_user_is_out_everywhere(pages, application, redis):
    token, user_id = application.sign_in()
    second = application.publisher.tokens.issue({"id": user_id, "name": "x"}, group_ids=[])
    tabs = [await pages.enter(each) for each in (token, second)]

    assert application.publisher.tokens.revoke_user(user_id) == 2

    assert [await tab.closed() for tab in tabs] == [[], []]
    assert redis.keys("/current_users/*") == []


async def test_ids_may_be_texts(pages, application):
    """As of an application with UUIDs for keys; 7 and the text 7 are the same group."""
    user_id, publisher = str(uuid.uuid4()), application.publisher
    old, new, number = f"team:{new_id()}", f"team.{new_id()}", new_id()
    token = publisher.tokens.issue({"id": user_id, "name": "Ann"}, group_ids=[old, str(number)])
    page = await pages.enter(token)

    packets = [application.to_group(group, "hi") for group in (old, number)]
    publisher.publish_records({"a": []}, user_id=user_id)
    *grouped, own = await page.got(3)
    assert grouped == packets
    assert f'"room":"user-{user_id}"'.encode() in own

    assert publisher.replace_groups(user_id, [new]) == 1
    application.to_group(old, "not for you")
    packet = application.to_group(new, "hi")
    assert await page.got() == [packet]

    assert publisher.disconnect_user(user_id) == 1
    assert await page.closed() == []
    again = await pages.enter(token)
    assert publisher.tokens.revoke_user(user_id) == 1
    assert await again.closed() == []


async def test_an_order_during_a_look_up_is_not_overtaken_by_its_answer(pages, application):
    """The look-up may have been answered before the record was rewritten."""
    old, new = new_id(), new_id()
    token, user_id = application.sign_in(old)
    pages_opened = [await pages.open(token) for _ in range(50)]

    asks = [page.ask() for page in pages_opened]
    change = asyncio.to_thread(application.publisher.replace_groups, user_id, [new])
    await asyncio.gather(*asks[:25], change, *asks[25:])
    for page in pages_opened:
        await page.connected(WAITS_MS)

    application.to_group(old, "not for you")
    packet = application.to_group(new, "hi")
    for page in pages_opened:
        assert (await page.got())[-1:] == [packet]


async def test_orders_that_make_no_sense_change_nothing(pages, application, redis, server):
    group = new_id()
    token, user_id = application.sign_in(group)
    page = await pages.enter(token)

    for order in (
        b"",
        b"{}",
        b"\xff",
        b'{"action":"hang_up"}',
        b'{"action":"hang_up","user_id":"%d!"}' % user_id,
        b'{"action":"set_groups","user_id":%d,"group_ids":"all"}' % user_id,
    ):
        redis.publish("/channel_control", order)

    packet = application.to_group(group, "hi")
    assert await page.got() == [packet]
    assert "Traceback" not in server.output()


# ── tokens that are used live on ────────────────────────────────────────────────────────────────


async def test_a_token_gets_its_full_time_again_when_its_owner_connects(pages, application, redis):
    token, _ = application.sign_in(ttl=100)

    await pages.enter(token)

    assert redis.ttl(f"/current_users/{token}") > 1790


@pytest.mark.parametrize("ttl", [None, 100_000])
async def test_a_token_that_lives_longer_is_left_alone(pages, application, redis, ttl):
    """One without an end never gets one; a longer life is not cut short."""
    token, _ = application.sign_in(ttl=ttl)

    page = await pages.enter(token)
    await page.leave()
    other, _ = application.sign_in()
    await pages.enter(other)

    assert redis.ttl(f"/current_users/{token}") in (
        {-1} if ttl is None else range(99_900, ttl + 1)
    )


async def test_a_token_outlives_a_long_visit(own_redis, tmp_path):
    """At half its life, and when the page is closed: the page may come back after a train ride."""
    with (
        Publisher.from_url(own_redis.url) as publisher,
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url, CACHE_REDIS_EXPIRE="4") as server,
    ):
        server.wait_ready()
        token, user_id = Application(publisher).sign_in(ttl=4)
        key = f"/current_users/{token}"
        async with pages_of(server.port) as pages:
            page = await pages.enter(token)
            lives = []
            for _ in range(2):  # nearly two lives, and never less than half of one
                await until(lambda: redis.pttl(key) < 2_200, "half of it is over")
                await until(lambda: redis.pttl(key) > 3_500, "it is renewed")
                lives.append(redis.pttl(f"{{channel_server}}:tokens:{user_id}"))
            assert min(lives) > 86_000_000
            await until(lambda: redis.pttl(key) < 3_300, "some time passes")

            await page.leave()

            await until(lambda: redis.pttl(key) > 3_700, "it is renewed once more")


async def test_a_returning_client_whose_token_has_expired_is_a_visitor(own_redis, tmp_path):
    """It is counted; nothing else can be done about it from here."""
    with (
        own_redis.client() as redis,
        Program(tmp_path, REDIS_URL=own_redis.url) as server,
    ):
        server.wait_ready()
        account = Site(redis).sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.open(account.token)
            await page.talk.send("40")
            reply = json.loads((await page._packet(WAITS_MS))[2:])
            _, offset = json.loads((await page._packet(WAITS_MS))[2:])
            redis.delete(f"/current_users/{account.token}")
            page = await pages.open(account.token)
            await page.talk.send("40" + json.dumps({"pid": reply["pid"], "offset": offset}))
            await page.connected()

            site = Site(redis)
            site.publish(account.room)
            packet = site.publish_notice()
            assert await page.got() == [packet]
