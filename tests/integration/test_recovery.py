"""What a client has missed when it returns, on the wire; and what nobody gets by asking for it."""

import asyncio
import contextlib
import json
import os
import re
import signal

import pytest
import pytest_asyncio

from publisher import Publisher
from publisher.contract.journal import JOURNAL
from tests.conformance.wire import Closed
from tests.faults.link import Link
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site, new_id

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

PID = "p" * 16 + ".e1:1-0"


class Client:
    """A client that recovers as socket.io-client does: it keeps ``pid`` and the last offset.

    Args:
        token: Channel token.
        transport: One of ``tests.integration.pages.TRANSPORTS``.
    """

    def __init__(self, token, transport="websocket"):
        self.token = token
        self.transport = transport
        self.pid = self.offset = self.recovered = None
        self.page = None

    async def enter(self, pages, **claim):
        """Connect, showing what was kept unless told otherwise. Return self."""
        self.page = await pages.open(self.token, self.transport)
        kept = {"pid": self.pid, "offset": self.offset} if self.pid else {}
        auth = {**kept, **claim}
        await self.page.talk.send("40" + (json.dumps(auth) if auth else ""))
        reply = await self.page._packet(WAITS_MS)
        assert reply.startswith("40{"), reply
        pid = json.loads(reply[2:]).get("pid")
        self.recovered = pid is not None and pid == auth.get("pid")
        self.pid = pid
        return self

    async def events(self, count, within_ms=WAITS_MS):
        """The next events that are no offset: name and body."""
        found = []
        while len(found) < count:
            name, *arguments = await self._next(within_ms)
            if name != "offset":
                found.append((name, arguments[0]))
        return found

    async def seed(self):
        """Read up to the offset that ends what was missed. Return the events before it."""
        found = []
        while True:
            name, *arguments = await self._next(WAITS_MS)
            if name == "offset":
                return found
            found.append((name, arguments[0]))

    async def _next(self, within_ms):
        event = json.loads((await self.page._packet(within_ms))[2:])
        if isinstance(event[-1], str) and len(event) > 1:
            self.offset = event[-1]
        return event

    async def cut(self):
        """Lose the network without a word."""
        if self.transport == "websocket":
            await self.page.talk.link.close()
        else:
            await self.page.leave()


def bodies(events):
    """What the comments of ``Site.publish`` say."""
    return [body["records"]["comments"][0]["body"] for name, body in events if name == "records"]


async def heard(pages, site):
    """Wait until a server has heard all that has been published: who enters now has missed it."""
    account = site.sign_in()
    watcher = await Client(account.token).enter(pages)
    site.publish(account.room, "heard")
    await watcher.events(1)


@pytest.fixture
def own_redis(new_redis_server):
    return new_redis_server()


@pytest.fixture
def own_site(own_redis):
    with own_redis.client() as connection:
        yield Site(connection)


@pytest.fixture
def lib(redis_server):
    with Publisher.from_url(redis_server.url) as publisher:
        yield publisher


@pytest_asyncio.fixture
async def start(tmp_path_factory):
    """Start servers; those still running are ended with the test."""
    started = []

    def make(**settings):
        program = Program(tmp_path_factory.mktemp("server"), **settings)
        started.append(program)
        return program.wait_ready()

    yield make
    for program in started:
        program.__exit__()


@pytest_asyncio.fixture
async def open_pages():
    """Open pages of servers, closed with the test."""
    opened = []

    async def make(program):
        context = pages_of(program.port)
        opened.append(context)
        return await context.__aenter__()

    yield make
    for context in opened:
        await context.__aexit__(None, None, None)


# ── what returns ────────────────────────────────────────────────────────────────────────────────


async def test_every_client_is_told_where_it_stands_at_once(pages, site, transport):
    """Also one that will receive nothing: it can recover from the first second."""
    client = await Client(site.sign_in().token, transport).enter(pages)

    assert await client.seed() == []
    assert re.fullmatch(r"[\w-]{8}:\d+-\d+", client.offset)
    assert re.fullmatch(r"[\w-]{16}", client.pid.partition(".")[0])
    assert client.pid.partition(".")[2] == client.offset
    assert client.recovered is False


async def test_what_was_missed_comes_before_what_is_new_and_only_once(pages, site, transport):
    account = site.sign_in()
    client = await Client(account.token, transport).enter(pages)
    site.publish(account.room, 0)
    await client.events(1)
    await client.cut()
    for number in range(1, 4):
        site.publish(account.room, number)
    await heard(pages, site)

    await client.enter(pages)
    assert client.recovered
    assert bodies(await client.seed()) == [1, 2, 3]
    site.publish(account.room, 4)
    assert bodies(await client.events(1)) == [4]

    await client.cut()
    site.publish(account.room, 5)
    await heard(pages, site)
    await client.enter(pages)
    assert client.recovered
    assert bodies(await client.seed()) == [5]


async def test_a_client_that_had_received_nothing_recovers(pages, site, transport):
    account = site.sign_in()
    client = await Client(account.token, transport).enter(pages)
    await client.seed()
    await client.cut()
    site.publish(account.room, 1)
    await heard(pages, site)

    await client.enter(pages)

    assert client.recovered
    assert bodies(await client.seed()) == [1]


async def test_a_client_that_was_cut_off_before_its_first_event_recovers(pages, site, transport):
    """The CONNECT reply has come, and nothing after it."""
    account = site.sign_in()
    client = await Client(account.token, transport).enter(pages)
    await client.cut()
    site.publish(account.room, 1)
    await heard(pages, site)
    assert client.offset is None

    claim = {"pid": client.pid}
    client.pid = None
    await client.enter(pages, **claim)

    assert client.recovered
    assert bodies(await client.seed()) == [1]


async def test_a_visitor_recovers_notices_and_nothing_else(pages, site):
    client = await Client(None).enter(pages)
    await client.seed()
    await client.cut()
    site.publish(site.sign_in().room)
    site.publish_notice("soon")
    await heard(pages, site)

    await client.enter(pages)

    assert client.recovered
    assert [(name, body["notice"]) for name, body in await client.seed()] == [("notice", "soon")]


async def test_messages_of_the_library_and_plain_ones_are_one_story(pages, site, lib):
    account = site.sign_in()
    user_id = int(account.room.removeprefix("user-"))
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    for number in range(0, 10, 2):
        site.publish(account.room, number)
        lib.publish_records({"comments": [{"body": number + 1}]}, user_id=user_id)
    await heard(pages, site)

    await client.enter(pages)

    found = bodies(await client.seed())
    assert [each for each in found if each % 2 == 0] == [0, 2, 4, 6, 8]
    assert [each for each in found if each % 2] == [1, 3, 5, 7, 9]


async def test_the_old_connection_may_be_half_open_still(pages, site):
    """The client has noticed that its network is gone; the server has not."""
    account = site.sign_in()
    client = await Client(account.token).enter(pages)
    await client.seed()
    old = client.page

    site.publish(account.room, 1)
    await heard(pages, site)
    await client.enter(pages)

    assert client.recovered
    assert bodies(await client.seed()) == [1]
    assert await old.got() == [
        b'42["records",'
        + json.dumps(
            {"room": account.room, "records": {"comments": [{"id": 1, "body": 1}]}}
        ).encode()
        + b"]"
    ]


async def test_who_was_removed_from_a_group_gets_nothing_of_it(pages, site):
    """Rooms are looked up afresh; Node would replay what the member had a right to at its first visit."""
    group = new_id()
    account = site.sign_in(group)
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    site.publish(f"group-{group}", "secret")
    site.publish(account.room, "mine")
    await heard(pages, site)
    user_id = int(account.room.removeprefix("user-"))
    site.store(account.token, json.dumps({"id": user_id, "name": "x", "group_ids": []}).encode())

    await client.enter(pages)

    assert bodies(await client.seed()) == ["mine"]


async def test_megabytes_are_served_at_the_pace_of_the_client(
    start, own_redis, own_site, open_pages
):
    """It reads little by little, and is never hung up for that."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url, WRITE_LIMIT_KIB="64", WRITE_SECONDS="1")
    pages = await open_pages(server)
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    texts = [f"{number}-" + "x" * 100_000 for number in range(150)]
    for text in texts:
        own_site.publish(account.room, text)
    await heard(pages, own_site)
    before = server.rss_bytes

    await client.enter(pages)
    await asyncio.sleep(2.5)  # it reads nothing for more than WRITE_SECONDS
    own_site.publish(account.room, "live")
    found = bodies(await client.events(151))

    assert client.recovered
    assert found == [*texts, "live"]
    assert server.rss_bytes - before < 32 << 20


# ── from where ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restart_costs_nothing_that_the_library_has_published(
    start, own_redis, own_site, open_pages, number
):
    account = own_site.sign_in()
    settings = {"REDIS_URL": own_redis.url, "PLAIN_PUBLISHERS": "0"}
    server = start(**settings)
    client = await Client(account.token).enter(await open_pages(server))
    await client.seed()

    server.stop(number)
    with Publisher.from_url(own_redis.url) as publisher:
        user_id = int(account.room.removeprefix("user-"))
        publisher.publish_records({"comments": [{"body": 1}]}, user_id=user_id)
    await client.enter(await open_pages(start(**settings)))

    assert client.recovered
    assert bodies(await client.seed()) == [1]


async def test_after_a_downtime_nobody_claims_that_plain_messages_were_kept(
    start, own_redis, own_site, open_pages
):
    """What Rails published meanwhile, nobody has heard: everything that is there comes all the same."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url)
    client = await Client(account.token).enter(await open_pages(server))
    await client.seed()
    server.stop(signal.SIGKILL)
    own_site.publish(account.room, "lost")
    with Publisher.from_url(own_redis.url) as publisher:
        user_id = int(account.room.removeprefix("user-"))
        publisher.publish_records({"comments": [{"body": "kept"}]}, user_id=user_id)

    await client.enter(await open_pages(start(REDIS_URL=own_redis.url)))

    assert not client.recovered
    assert bodies(await client.seed()) == ["kept"]


async def test_another_node_knows_the_same_story(start, own_redis, own_site, open_pages):
    account = own_site.sign_in()
    one, two = [await open_pages(start(REDIS_URL=own_redis.url)) for _ in range(2)]
    client = await Client(account.token).enter(one)
    for number in range(3):
        own_site.publish(account.room, number)
        assert bodies(await client.events(1)) == [number]
        await client.cut()
        own_site.publish(account.room, f"missed {number}")
        one, two = two, one
        await client.enter(one)
        assert client.recovered
        # Behind what was missed, if this node has heard of it only by then.
        heard = await client.seed() or await client.events(1)
        assert bodies(heard) == [f"missed {number}"]


async def test_a_client_that_is_ahead_of_a_node_waits_for_it(
    start, own_redis, own_site, open_pages
):
    """It comes from a faster one: this one reads on before it answers."""
    account = own_site.sign_in()
    ahead, behind = start(REDIS_URL=own_redis.url), start(REDIS_URL=own_redis.url)
    client = await Client(account.token).enter(await open_pages(ahead))
    pages = await open_pages(behind)
    behind.process.send_signal(signal.SIGSTOP)
    try:
        own_site.publish(account.room, 1)
        await client.events(1)
        await client.cut()
        link = asyncio.create_task(client.enter(pages))
        own_site.publish(account.room, 2)
    finally:
        behind.process.send_signal(signal.SIGCONT)

    await link

    assert client.recovered
    assert bodies(await client.seed()) in ([2], [])


# ── what nobody gets by asking ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "claim",
    [
        {"pid": None, "offset": None},
        {"pid": 5, "offset": 5},
        {"pid": "", "offset": ""},
        {"pid": "p"},
        {"pid": "p", "offset": "junk"},
        {"pid": "p", "offset": "e1:1-0"},
        {"pid": PID, "offset": None},
        {"pid": PID, "offset": "junk"},
        {"pid": PID, "offset": "e1:1-"},
        {"pid": PID, "offset": "e1:1-0" + "0" * 100_000},
        {"pid": PID + "0" * 100_000},
        {"pid": PID + "\n"},
        {"pid": "p" * 15 + " .e1:1-0"},
        {"pid": "p" * 16 + ".junk", "offset": "e1:1-0"},
        {"pid": {"$ne": 1}, "offset": ["e1:1-0"]},
    ],
    ids=lambda claim: f"{len(str(claim))} {claim}"[:64],
)
async def test_a_claim_that_cannot_be_right_is_a_first_visit(pages, site, claim):
    """No exception, no history, a fresh pid."""
    account = site.sign_in()
    site.publish(account.room, "history")
    await heard(pages, site)

    client = await Client(account.token).enter(pages, **claim)

    assert not client.recovered
    assert await client.seed() == []
    site.publish(account.room, "live")
    assert bodies(await client.events(1)) == ["live"]


@pytest.mark.parametrize(
    "forged", ["{epoch}:99999999999999-0", "{epoch}:999999999999999-9999999999"]
)
async def test_an_offset_above_all_there_is_recovers_nothing(pages, site, forged):
    account = site.sign_in()
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    site.publish(account.room, "missed")
    await heard(pages, site)
    epoch = client.offset.partition(":")[0]

    await client.enter(pages, offset=forged.format(epoch=epoch))

    assert not client.recovered
    assert await client.seed() == []
    site.publish(account.room, "live")
    assert bodies(await client.events(1)) == ["live"]


async def test_an_offset_of_another_epoch_is_no_recovery_and_shows_only_ones_own(pages, site):
    ann, ben = site.sign_in(), site.sign_in()
    site.publish(ann.room, "for Ann")
    site.publish(ben.room, "for Ben")
    await heard(pages, site)

    client = await Client(ben.token).enter(pages, pid=PID, offset="another:1-0")

    assert not client.recovered
    assert bodies(await client.seed()) == ["for Ben"]


CHANGES = ["expired or evicted", "revoked", "another user"]


@pytest.mark.parametrize("journal", ["redis", "memory"])
@pytest.mark.parametrize("change", CHANGES)
async def test_who_has_become_somebody_else_is_not_told_that_it_has_recovered(
    redis_server, site, lib, tmp_path, journal, change
):
    """Its token had expired: it heard no records any more, and thought that it had missed nothing."""
    with Program(tmp_path, REDIS_URL=redis_server.url, JOURNAL=journal) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            account, other = site.sign_in(), site.sign_in()
            client = await Client(account.token).enter(pages)
            site.publish(account.room, 1)
            await client.events(1)
            await client.cut()

            with redis_server.client() as redis:
                key = f"/current_users/{account.token}"
                if change == "expired or evicted":
                    redis.delete(key)
                elif change == "revoked":
                    assert lib.tokens.revoke(account.token) == 1
                else:
                    redis.set(key, redis.get(f"/current_users/{other.token}"))
            site.publish(account.room, 2)
            await heard(pages, site)
            await client.enter(pages)
            assert not client.recovered
            assert await client.seed() == []

            await client.cut()
            await client.enter(pages)  # as whom it has become it recovers
            assert client.recovered


async def test_a_visitor_recovers_as_a_visitor(pages):
    client = await Client("unknown-token").enter(pages)
    await client.seed()
    await client.cut()

    assert (await client.enter(pages)).recovered


async def test_a_user_recovers_with_another_token(pages, site):
    account = site.sign_in()
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    site.store("another-token", site.redis.get(f"/current_users/{account.token}"))

    client.token = "another-token"
    assert (await client.enter(pages)).recovered


async def test_somebody_elses_pid_shows_only_ones_own(pages, site):
    """The pid is no key to anything: rooms come from the token alone."""
    ann, ben = site.sign_in(), site.sign_in()
    victim = await Client(ann.token).enter(pages)
    await victim.seed()
    site.publish(ann.room, "for Ann")
    await victim.events(1)
    thief = await Client(ben.token).enter(pages)
    await thief.seed()

    await thief.enter(pages, pid=victim.pid, offset=thief.offset)
    assert await thief.seed() == []
    stranger = await Client("unknown-token").enter(pages, pid=victim.pid, offset=thief.offset)
    assert await stranger.seed() == []


# ── the journal is not ours alone ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fields",
    [
        {"x": "y"},
        {"k": "p"},
        {"k": "p", "c": "/records", "d": b"\xff"},
        {"k": "l", "c": "/unknown", "d": "{}"},
        {"k": "z", "c": "/records", "d": '{"room":"user-1"}', "new": "field"},
        {"k": "p", "c": "/records", "d": "{}", "n": "9" * 5_000},
        {"k": "p", "c": "/records", "d": "{}", "n": "\u00b2"},
        {"k": "b", "c": "", "d": "two words"},
        {"k": "b", "c": "", "d": b"\xff" * 100},
        {"k": "p", "c": b"\xff", "d": "{}"},
        {"k": "p", "c": "/channel_control", "d": '{"action":"hang_up"}'},
        {"k": "p", "c": "/records", "d": "x" * 2_000_000},
    ],
    ids=lambda fields: repr(fields)[:48],
)
async def test_an_entry_that_is_junk_is_passed_over(pages, site, fields, server):
    """Of a newer version, of an older one, or of somebody who has lost his way."""
    account = site.sign_in()
    client = await Client(account.token).enter(pages)
    await client.seed()

    site.redis.xadd(JOURNAL, fields)
    site.publish(account.room, "after")

    assert bodies(await client.events(1)) == ["after"]
    assert "Traceback" not in server.output()


async def test_who_is_connected_to_a_node_that_has_slept_too_long_is_told(
    start, own_redis, own_site, open_pages
):
    """The journal has turned over meanwhile: its clients return, and do not claim to have all."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url, JOURNAL_ENTRIES="100", PLAIN_PUBLISHERS="0")
    pages = await open_pages(server)
    client = await Client(account.token).enter(pages)
    await client.seed()
    server.process.send_signal(signal.SIGSTOP)
    await asyncio.to_thread(os.waitid, os.P_PID, server.process.pid, os.WSTOPPED)
    with Publisher.from_url(own_redis.url) as publisher:
        user_id = int(account.room.removeprefix("user-"))
        for number in range(150):
            publisher.publish_records({"comments": [{"body": number}]}, user_id=user_id)

    server.process.send_signal(signal.SIGCONT)
    await client.page.closed()
    await client.enter(pages)

    assert not client.recovered
    assert bodies(await client.seed()) == list(range(50, 150))
    assert len(server.lines("journal overrun")) == 1


async def test_a_burst_that_is_longer_than_the_journal_reaches_who_is_connected(
    start, own_redis, own_site, open_pages
):
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url, JOURNAL_ENTRIES="100")
    client = await Client(account.token).enter(await open_pages(server))
    await client.seed()

    with own_site.redis.pipeline(transaction=False) as burst:
        for number in range(1_000):
            record = {"comments": [{"body": number}]}
            burst.publish("/records", json.dumps({"room": account.room, "records": record}))
        burst.execute()

    assert bodies(await client.events(1_000)) == list(range(1_000))
    assert server.lines("journal overrun") == []


async def test_an_epoch_that_begins_under_way_is_followed(start, own_redis, own_site, open_pages):
    """FLUSHALL: connections stand, and everything is forgotten."""
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url)
    pages = await open_pages(server)
    client = await Client(account.token).enter(pages)
    await client.seed()
    before = client.offset

    own_site.redis.flushall()
    own_site.store(account.token, b'{"id":%d,"group_ids":[]}' % int(account.room[5:]))
    own_site.publish(account.room, "after")
    assert bodies(await client.events(1)) == ["after"]
    assert client.offset.partition(":")[0] != before.partition(":")[0]
    await client.cut()
    own_site.publish(account.room, "missed")
    await heard(pages, own_site)
    await client.enter(pages)
    assert client.recovered
    assert bodies(await client.seed()) == ["missed"]

    late = Client(account.token)
    late.pid, late.offset = client.pid, before
    await late.enter(pages)
    assert not late.recovered
    assert bodies(await late.seed()) == ["after", "missed"]


async def test_who_returns_in_trouble_gets_what_was_published_before(
    start, own_redis, own_site, open_pages
):
    """The journal stalled, the subscription did not: 17 of 20 clients missed 25 to 56 messages.

    Those who were there got them at once. They were in the journal, which was read later, and
    then counted as delivered.
    """
    settings = {"PLAIN_PUBLISHERS": "0", "PROBE_SECONDS": "3"}
    with Link(own_redis.socket) as link, Publisher.from_url(own_redis.url) as publisher:
        server = start(REDIS_URL=f"redis://127.0.0.1:{link.port}", **settings)
        pages = await open_pages(server)
        account = own_site.sign_in()
        user_id = int(account.room.removeprefix("user-"))
        witness, client = [await Client(account.token).enter(pages) for _ in range(2)]
        for each in (witness, client):
            await each.seed()
        await client.cut()

        link.stall(b"XREAD")
        for number in range(5):
            publisher.publish_records({"comments": [{"body": number}]}, user_id=user_id)
        assert bodies(await witness.events(5)) == [0, 1, 2, 3, 4]
        await client.enter(pages)
        assert not client.recovered

        found = []
        with contextlib.suppress(Closed):
            while True:
                found += bodies(await client.events(1))
        await client.enter(pages)
        assert set(found + bodies(await client.seed())) == {0, 1, 2, 3, 4}
        assert server.lines("journal degraded")
        await until(lambda: server.lines("journal works again"), "the log says so")


async def test_nobody_recovers_what_was_trimmed(start, own_redis, own_site, open_pages):
    account = own_site.sign_in()
    server = start(REDIS_URL=own_redis.url, JOURNAL_ENTRIES="100")
    pages = await open_pages(server)
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    for number in range(150):
        own_site.publish(account.room, number)
    await heard(pages, own_site)

    await client.enter(pages)

    assert not client.recovered
    assert bodies(await client.seed())[-1] == 149


# ── other journals ──────────────────────────────────────────────────────────────────────────────


async def test_a_journal_in_memory_recovers_what_this_process_has_heard(
    start, own_redis, own_site, open_pages
):
    account = own_site.sign_in()
    settings = {"REDIS_URL": own_redis.url, "JOURNAL": "memory"}
    server = start(**settings)
    pages = await open_pages(server)
    client = await Client(account.token).enter(pages)
    await client.seed()
    await client.cut()
    own_site.publish(account.room, 1)
    await heard(pages, own_site)
    await client.enter(pages)
    assert client.recovered
    assert bodies(await client.seed()) == [1]
    await client.cut()

    assert own_site.redis.client_kill_filter(_type="pubsub") == 1
    await until(lambda: own_site.redis.pubsub_numsub("/records")[0][1] == 1, "heard again")
    await client.enter(pages)
    assert not client.recovered
    await client.seed()

    server.stop()
    await client.enter(await open_pages(start(**settings)))
    assert not client.recovered
    assert not own_site.redis.exists(JOURNAL)


@pytest.mark.parametrize("settings", [{"JOURNAL": "off"}, {"RECOVERY_MINUTES": "0"}], ids=str)
async def test_without_a_journal_there_is_no_pid_and_no_offset(
    start, own_redis, own_site, open_pages, settings
):
    account = own_site.sign_in()
    pages = await open_pages(start(REDIS_URL=own_redis.url, **settings))
    client = await Client(account.token).enter(pages, pid=PID, offset="e1:1-0")

    own_site.publish(account.room, 1)
    packet = await client.page._packet(WAITS_MS)

    assert client.pid is None
    assert packet.endswith("}]}}]")


async def test_nodes_with_different_bounds_say_so(start, own_redis):
    """The journal was trimmed now by one of them and now by the other, without a word."""
    nodes = [start(REDIS_URL=own_redis.url, JOURNAL_MIB=mib) for mib in ("4", "8")]

    for node in nodes:
        await until(lambda: node.lines("other bounds of the journal"), "it says so")  # noqa: B023
    line = nodes[0].lines("other bounds of the journal")[0]
    assert "bytes=4194304 here, 8388608 there" in line
    assert "entries=100000 here, 100000 there" in line


async def test_a_journal_that_redis_has_forgotten_is_a_line_in_the_log(start, own_redis):
    server = start(REDIS_URL=own_redis.url)

    with own_redis.client() as raw:
        raw.delete(JOURNAL)

    await until(lambda: server.lines("journal begun anew"), "it says so")
    assert "evicted" in server.lines("journal begun anew")[0]
