"""The scripts of the journal on a real Redis: one step for everybody, whoever else is at work."""

import asyncio
import itertools
import threading

import pytest
import pytest_asyncio

from channel_server.adapters.commands import Commands
from channel_server.adapters.journal import Journal
from channel_server.adapters.pauses import Pauses
from channel_server.core.journal_state import Appended, Bounds, LeaseWish, Role
from channel_server.core.offsets import position_of
from channel_server.errors import RedisRefused
from publisher import Publisher
from publisher.contract.journal import JOURNAL, LEASE, NODES, STATE
from tests.integration.program import until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

BOUNDS = Bounds(window_s=1800, max_entries=100_000, max_bytes=64 << 20)
LEASE_S = 30.0  # longer than any test takes
BRIEF_S = 0.3  # for those that wait for its end
ONE, TWO = ("/records", b'{"room":"a","n":1}'), ("/records", b'{"room":"a","n":2}')


@pytest.fixture
def server(new_redis_server):
    return new_redis_server()


@pytest.fixture
def redis(server):
    with server.client() as client:
        yield client


@pytest_asyncio.fixture
async def node(server):
    """Make nodes: ``await node("a")``, each with a connection of its own."""
    async with asyncio.TaskGroup() as group:
        tasks = []

        async def make(name, bounds=BOUNDS, lease_s=LEASE_S):
            commands = Commands(server.url, probe_s=2, pauses=Pauses(lambda: 0.0))
            up = asyncio.Event()
            commands.connected.append(up.set)
            tasks.append(group.create_task(commands.run()))
            await up.wait()
            return Journal(commands, node=name, bounds=bounds, lease_s=lease_s)

        yield make
        for task in tasks:
            task.cancel()


async def append(journal, *contents, after_gap=False):
    answer = asyncio.get_running_loop().create_future()
    assert journal.append(
        contents, lambda *outcome: answer.set_result(outcome[:2]), after_gap=after_gap
    )
    async with asyncio.timeout(5):
        return await answer


def entries(redis):
    return [(e[b"k"], e[b"c"], e[b"d"]) for _, e in redis.xrange(JOURNAL)]


async def test_the_first_look_begins_an_epoch(node, redis):
    a = await node("a")

    state = await a.tick(LeaseWish.WATCH, None)

    assert entries(redis) == [(b"b", b"", state.epoch.encode())]
    assert (state.role, state.trimmed, state.covered_to) == (Role.FREE, 0, None)
    assert state.last == position_of(redis.xinfo_stream(JOURNAL)["last-generated-id"])
    assert (await a.tick(LeaseWish.WATCH, None)).epoch == state.epoch


async def test_only_the_holder_of_the_lease_appends(node, redis):
    a, b = await node("a"), await node("b")
    assert (await a.tick(LeaseWish.TAKE, None)).role is Role.TAKEN

    assert await append(a, ONE, TWO) == (Appended.YES, "")
    assert await append(b, ONE) == (Appended.NOT_OURS, "")

    assert [data for _, _, data in entries(redis)[1:]] == [ONE[1], TWO[1]]


async def test_who_appends_learns_where(node, redis):
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)
    answer = asyncio.get_running_loop().create_future()

    a.append([ONE, TWO], lambda *outcome: answer.set_result(outcome), after_gap=False)

    outcome = await answer
    last, _ = redis.xrevrange(JOURNAL, count=1)[0]
    assert outcome == (Appended.YES, "", position_of(last))


async def test_a_lease_is_not_taken_from_who_renews_it_unless_by_force(node):
    a, b = await node("a"), await node("b")
    await a.tick(LeaseWish.TAKE, None)

    assert (await b.tick(LeaseWish.TAKE, None)).role is Role.OTHER
    assert (await a.tick(LeaseWish.TAKE, 7)).role is Role.MINE
    forced = await b.tick(LeaseWish.FORCE, None)

    assert (forced.role, forced.covered_to) == (Role.TAKEN, 7)
    assert (await a.tick(LeaseWish.TAKE, 9)).role is Role.OTHER
    assert (await append(a, ONE))[0] is Appended.NOT_OURS
    assert (await b.tick(LeaseWish.TAKE, None)).covered_to == 7  # a's word counts no more


async def test_a_lease_that_is_not_renewed_runs_out(node, redis):
    a, b = await node("a", lease_s=BRIEF_S), await node("b")
    await a.tick(LeaseWish.TAKE, None)

    await until(lambda: not redis.exists(LEASE), "the lease runs out")

    assert (await append(a, ONE))[0] is Appended.NOT_OURS
    assert (await b.tick(LeaseWish.TAKE, None)).role is Role.TAKEN


async def test_what_an_earlier_connection_had_under_way_appends_nothing(node, redis):
    """Redis may execute it long after the node has made up its mind on a new connection."""
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)
    old = a.lease
    a._commands.give_up("test")
    await until(lambda: a._commands.is_up and a.lease != old, "another connection")

    assert redis.get(LEASE) == old.encode()
    assert (await append(a, ONE))[0] is Appended.NOT_OURS
    assert (await a.tick(LeaseWish.TAKE, None)).role is Role.TAKEN
    assert (await append(a, ONE))[0] is Appended.YES


async def test_a_released_lease_is_free_and_tells_how_far_it_was_covered(node):
    a, b = await node("a"), await node("b")
    await a.tick(LeaseWish.TAKE, None)

    await b.release(1, for_good=False)  # not b's to give
    await a.release(1234, for_good=False)

    state = await b.tick(LeaseWish.TAKE, None)
    assert (state.role, state.covered_to) == (Role.TAKEN, 1234)


async def test_nodes_are_counted_while_they_live(node, redis):
    a, b = await node("a"), await node("b")
    await a.tick(LeaseWish.WATCH, None)
    assert (await b.tick(LeaseWish.WATCH, None)).nodes == 2

    await b.release(None, for_good=True)
    assert (await a.tick(LeaseWish.WATCH, None)).nodes == 1

    brief = await node("c", lease_s=BRIEF_S)
    await brief.tick(LeaseWish.WATCH, None)
    await until(lambda: not redis.exists(NODES), "all have been silent for long enough")
    assert (await a.tick(LeaseWish.WATCH, None)).nodes == 1


async def test_a_gap_goes_before_what_is_appended_with_it(node, redis):
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)

    await append(a, ONE, after_gap=True)
    await a.admit_gap()

    assert [kind for kind, _, _ in entries(redis)] == [b"b", b"g", b"p", b"g"]


@pytest.mark.parametrize("lost", [JOURNAL, STATE])
async def test_an_epoch_begins_when_the_stream_or_its_state_is_gone(node, redis, lost):
    """An eviction, a FLUSHALL, an empty Redis after a crash: what was in there nobody knows."""
    a = await node("a")
    before = await a.tick(LeaseWish.TAKE, None)
    await append(a, ONE)

    redis.delete(lost)
    after = await a.tick(LeaseWish.TAKE, None)

    assert after.epoch != before.epoch
    assert after.trimmed == 0
    sizes = [100 + sum(map(len, entry)) for entry in entries(redis)]
    assert int(redis.hget(STATE, "bytes")) == sum(sizes)


async def test_an_epoch_is_ended_once_however_many_nodes_ask_for_it(node):
    nodes = [await node(name) for name in "abc"]
    before = await nodes[0].tick(LeaseWish.WATCH, None)

    await asyncio.gather(*(each.begin_after(before.epoch) for each in nodes))

    epochs = {(await each.tick(LeaseWish.WATCH, None)).epoch for each in nodes}
    assert len(epochs) == 1
    assert before.epoch not in epochs


async def test_the_number_of_entries_is_bounded(node, redis):
    a = await node("a", Bounds(window_s=1800, max_entries=100, max_bytes=64 << 20))
    await a.tick(LeaseWish.TAKE, None)

    for _ in range(5):
        await append(a, *(("/records", b"%d" % n) for n in range(150)))

    assert redis.xlen(JOURNAL) == 100
    trimmed = redis.hget(STATE, "trimmed")
    first, _ = redis.xrange(JOURNAL, count=1)[0]
    assert position_of(trimmed) < position_of(first)
    state = await a.tick(LeaseWish.TAKE, None)
    assert state.trimmed == position_of(trimmed)


async def test_the_bytes_are_bounded_and_counted_right(node, redis):
    a = await node("a", Bounds(window_s=1800, max_entries=100_000, max_bytes=1 << 20))
    await a.tick(LeaseWish.TAKE, None)

    for size in (10, 300_000, 5, 300_000, 300_000, 1, 300_000, 300_000):
        await append(a, ("/records", b"x" * size))

    sizes = [100 + sum(map(len, entry)) for entry in entries(redis)]
    assert int(redis.hget(STATE, "bytes")) == sum(sizes) <= 1 << 20


async def test_the_newest_entry_is_kept_however_large_it_is(node, redis):
    """Somebody has yet to read it."""
    a = await node("a", Bounds(window_s=1800, max_entries=100, max_bytes=1 << 20))
    await a.tick(LeaseWish.TAKE, None)

    await append(a, ("/records", b"x" * (3 << 20)))

    assert [len(data) for _, _, data in entries(redis)] == [3 << 20]


async def test_bounds_that_are_lowered_are_reached_step_by_step(node, redis):
    """No script holds Redis up for long."""
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)
    for _ in range(20):
        await append(a, *[("/records", b"x" * 100)] * 200)
    b = await node("b", Bounds(window_s=1800, max_entries=100_000, max_bytes=20_000))
    await b.tick(LeaseWish.WATCH, None)

    lengths = [redis.xlen(JOURNAL)]
    while int(redis.hget(STATE, "bytes")) > 20_000:
        await append(a, ONE)
        lengths.append(redis.xlen(JOURNAL))

    assert lengths[0] >= 3_000
    assert all(before - after < 1_000 for before, after in itertools.pairwise(lengths))
    assert int(redis.hget(STATE, "bytes")) == sum(
        100 + sum(map(len, entry)) for entry in entries(redis)
    )
    assert len(lengths) < 20


async def test_entries_are_numbered_without_a_hole(node, redis, server):
    a = await node("a", Bounds(window_s=1800, max_entries=5, max_bytes=1 << 20))
    await a.tick(LeaseWish.TAKE, None)
    with Publisher.from_url(server.url) as publisher:
        for _ in range(4):
            publisher.publish_records({"a": []}, group_id=1)
            await append(a, ONE, TWO, after_gap=True)

    assert [int(entry[b"n"]) for _, entry in redis.xrange(JOURNAL)] == list(range(13, 18))


async def test_what_is_too_old_goes_with_a_tick(node, redis):
    a = await node("a", Bounds(window_s=60, max_entries=100, max_bytes=1 << 20))
    seconds, _ = redis.time()
    redis.hset(STATE, mapping={"epoch": "e1", "trimmed": "0-0", "bytes": 3 * 101})
    for age_s in (100, 61, 30):
        redis.xadd(JOURNAL, {"k": "p", "c": "", "d": ""}, id=f"{(seconds - age_s) * 1000}-0")

    state = await a.tick(LeaseWish.WATCH, None)

    assert redis.xlen(JOURNAL) == 1
    assert state.trimmed == position_of(b"%d-0" % ((seconds - 61) * 1000))
    assert int(redis.hget(STATE, "bytes")) == 101


async def test_a_journal_that_has_filled_redis_makes_room_by_itself(node, redis):
    """Found in review: out of memory, nothing could be trimmed."""
    a = await node("a", Bounds(window_s=60, max_entries=100_000, max_bytes=64 << 20))
    await a.tick(LeaseWish.TAKE, None)
    redis.delete(JOURNAL)
    for number in range(1, 501):
        redis.xadd(JOURNAL, {"k": "p", "c": "/records", "d": "x" * 2_000}, id=f"{number}-0")
    redis.config_set("maxmemory", redis.info("memory")["used_memory"] - 500_000)

    await a.tick(LeaseWish.TAKE, None)

    assert redis.xlen(JOURNAL) == 1


async def test_everything_expires_on_its_own(node, redis, server):
    """The product is removed, and an hour after the last message could be asked for it is gone."""
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)
    with Publisher.from_url(server.url) as publisher:
        publisher.publish_records({"a": []}, group_id=1)
        publisher.tokens.issue({"id": 1, "name": None}, group_ids=[], ttl=None, token="t")

    lives = {
        key.decode(): redis.pttl(key) / 1000
        for key in redis.scan_iter()
        if key != b"/current_users/t"
    }

    assert all(key.startswith("{channel_server}:") for key in lives)
    assert all(0 < life <= 30 * 24 * 3600 for life in lives.values())
    assert 1800 + 3590 < lives[JOURNAL] <= 1800 + 3600
    assert 1800 + 3590 < lives[STATE] <= 1800 + 3600


@pytest.mark.parametrize("field", ["trimmed", "covered"])
async def test_a_state_that_makes_no_sense_is_trouble_and_no_exception(node, redis, field):
    """Found in review: a field that was gone ended the process."""
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)
    redis.hset(STATE, field, "junk")

    with pytest.raises(RedisRefused) as caught:
        await a.tick(LeaseWish.TAKE, None)

    assert caught.value.code == "BADSTATE"


@pytest.mark.parametrize(
    ("trouble", "codes"),
    [
        (lambda redis: redis.set(JOURNAL, "x"), {"WRONGTYPE"}),
        (lambda redis: redis.set(STATE, "x"), {"WRONGTYPE"}),
        (lambda redis: redis.config_set("maxmemory", "1"), {"OOM"}),
        (lambda redis: redis.replicaof("127.0.0.1", "1"), {"READONLY"}),
    ],
    ids=["stream of the wrong type", "state of the wrong type", "no memory", "a replica"],
)
async def test_a_journal_that_cannot_be_written_says_why(node, redis, trouble, codes):
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)

    trouble(redis)

    with pytest.raises(RedisRefused) as caught:
        await a.tick(LeaseWish.TAKE, None)
    assert {caught.value.code} == codes
    outcome, code = await append(a, ONE)
    assert outcome is Appended.REFUSED
    assert code in codes


async def test_appends_and_library_messages_from_many_connections_make_one_order(
    node, redis, server
):
    """Ids only grow, everything is there once, and each writer's own order is kept."""
    a = await node("a", Bounds(window_s=1800, max_entries=100_000, max_bytes=64 << 20))
    await a.tick(LeaseWish.TAKE, None)

    def publish(name):
        with Publisher.from_url(server.url) as publisher:
            for number in range(50):
                publisher.publish_records({name: number}, group_id=1)

    threads = [threading.Thread(target=publish, args=[f"lib-{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for number in range(100):
        await append(a, ("/records", b"plain %d" % number))
        if number % 20 == 0:
            await a.tick(LeaseWish.TAKE, None)
    await asyncio.to_thread(lambda: [thread.join() for thread in threads])

    stream = redis.xrange(JOURNAL)
    positions = [position_of(stream_id) for stream_id, _ in stream]
    assert all(one < two for one, two in itertools.pairwise(positions))
    data = [entry[b"d"] for _, entry in stream]
    assert [each for each in data if each.startswith(b"plain")] == [
        b"plain %d" % number for number in range(100)
    ]
    for name in range(4):
        mine = [each for each in data if b'"lib-%d"' % name in each]
        assert mine == [
            b'{"room":"group-1","records":{"lib-%d":%d}}' % (name, number) for number in range(50)
        ]


async def test_redis_is_taught_the_scripts_again_after_it_forgot_them(node, redis):
    a = await node("a")
    await a.tick(LeaseWish.TAKE, None)

    redis.script_flush()

    assert (await append(a, ONE))[0] is Appended.YES
    assert (await a.tick(LeaseWish.TAKE, None)).role is Role.MINE
