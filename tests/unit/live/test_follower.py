"""A node follows the journal: every entry once, whatever becomes of the stream."""

import asyncio
from dataclasses import dataclass

import pytest

from channel_server.core.journal import Tail
from channel_server.core.journal_state import JournalState, Role
from channel_server.core.offsets import Offset
from channel_server.core.records import Broadcast
from channel_server.core.unseen import Heard
from channel_server.live.fanout import Fanout
from channel_server.live.follower import Follower
from channel_server.live.intake import Intake
from channel_server.metrics import Metrics

pytestmark = pytest.mark.asyncio

RECORD = b'{"room":"group-7","records":{}}'


@dataclass
class Entry:
    position: int
    kind: bytes = b"l"
    channel: str = "/records"
    data: bytes = RECORD
    number: int = 0

    @property
    def stream_id(self):
        return b"%d-0" % (self.position >> 64)


def at(number):
    return number << 64


class Redis:
    """Epoch, last position and trimmed as a test makes them up; it can be asked and counts that."""

    def __init__(self):
        self.epoch, self.last, self.trimmed = "e1", 0, 0
        self.asked = 0
        self.state = None
        self.progressed = 0

    async def tick(self):
        self.asked += 1
        self.state = JournalState(
            epoch=self.epoch,
            trimmed=self.trimmed,
            last=self.last,
            role=Role.OTHER,
            covered_to=None,
            now_ms=0,
            secret=b"secret",
            nodes=1,
        )
        return self.state

    async def begin_after(self, epoch):
        assert epoch == self.epoch
        self.epoch = f"{epoch}+"

    def progress(self):
        self.progressed += 1


@pytest.fixture
def redis():
    return Redis()


@pytest.fixture
def tail():
    return Tail(window_s=60, max_entries=100, max_bytes=1 << 20)


@pytest.fixture
def delivered():
    return []


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def heard():
    """What the recorder knows of an entry."""
    return {}


@pytest.fixture
def follower(redis, tail, delivered, metrics, heard):
    class Rooms:
        def members(self, room):
            delivered.append(room)
            return ()

    def overrun():
        delivered.append("overrun")

    intake = Intake(Fanout(Rooms()), tail, obey=delivered.append, metrics=metrics, clock=float)
    return Follower(
        tail,
        redis,
        lambda content, _is_old: heard.get(content),
        intake,
        redis,
        gap_seen=lambda: None,
        overrun=overrun,
        metrics=metrics,
        changed=lambda: None,
    )


async def test_a_new_node_reads_from_what_was_trimmed_on(follower, redis, tail):
    redis.last, redis.trimmed = at(9), at(3)

    assert await follower.begin() == at(3)

    assert tail.epoch == "e1"
    follower.progress()
    assert not follower.is_loaded
    follower.take(Entry(at(9)))
    follower.progress()
    assert follower.is_loaded
    assert not tail.covers(Offset("e1", at(2)))
    assert tail.covers(Offset("e1", at(3)))


async def test_after_a_reconnection_it_reads_on(follower, redis, tail):
    redis.last = at(1)
    await follower.begin()
    follower.take(Entry(at(1)))

    redis.last = at(5)
    assert await follower.begin() == at(1)
    assert tail.epoch == "e1"


async def test_what_it_knows_of_a_stream_that_began_anew_is_not_delivered_again(
    follower, redis, tail, delivered
):
    """A stale replica has taken over: it has a part of what clients got, and something new."""
    await follower.begin()
    for number in (1, 2, 3):
        follower.take(Entry(at(number), data=b'{"room":"r%d"}' % number))
    assert delivered == ["r1", "r2", "r3"]

    redis.last = at(2)  # went backwards
    assert await follower.begin() == 0
    assert redis.epoch == tail.epoch == "e1+"
    follower.take(Entry(at(1), data=b'{"room":"r1"}'))
    follower.take(Entry(at(2), data=b'{"room":"another"}'))
    follower.progress()

    assert delivered == ["r1", "r2", "r3", "another"]
    assert not tail.covers(Offset("e1", at(3)))
    start = tail.start_of(Offset("e1", at(2)))
    missed = [entry.room for entry in tail.missed(["r1", "r2", "r3", "another"], start, 10)]
    assert missed == ["r3", "another"]


async def test_an_epoch_that_begins_in_the_stream_is_followed(follower, tail):
    await follower.begin()
    follower.progress()
    follower.take(Entry(at(1)))

    follower.take(Entry(at(2), kind=b"b", data=b"e2"))

    assert tail.offset == Offset("e2", at(2))
    assert not tail.covers(Offset("e1", at(1)))


async def test_epochs_that_ended_in_the_past_do_not_begin_again(follower, redis, tail):
    redis.last = at(5)
    await follower.begin()

    follower.take(Entry(at(2), kind=b"b", data=b"e0"))
    follower.take(Entry(at(4), kind=b"b", data=b"e1"))

    assert tail.offset == Offset("e1", at(4))


async def test_a_gap_is_kept_and_counted(follower, tail, metrics):
    await follower.begin()
    follower.take(Entry(at(1)))

    follower.take(Entry(at(2), kind=b"g", channel="", data=b""))

    assert metrics.gaps == 1
    assert not tail.covers(Offset("e1", at(1)))
    assert tail.covers(Offset("e1", at(2)))


@pytest.mark.parametrize(
    "entry",
    [
        Entry(at(1), kind=b""),
        Entry(at(1), kind=b"newer"),
        Entry(at(1), kind=b"b", data=b"no epoch!"),
        Entry(at(1), kind=b"b", data=b""),
    ],
    ids=repr,
)
async def test_what_is_not_understood_is_counted_and_passed_over(follower, tail, metrics, entry):
    await follower.begin()
    follower.progress()

    assert follower.take(entry) == 0

    assert metrics.junk_entries == 1
    assert tail.offset == Offset("e1", at(1))


async def test_what_clients_have_already_is_only_kept(follower, tail, delivered, heard):
    await follower.begin()
    content = ("/records", RECORD)
    heard[content] = Heard(content, 0.0, None, is_kept=False, is_delivered=True)

    follower.take(Entry(at(1)))

    assert delivered == []
    assert len(tail) == 1


async def test_what_was_read_when_it_was_heard_is_not_read_again(follower, delivered, heard):
    await follower.begin()
    content = ("/records", RECORD)
    message = Broadcast("read-before", "records", RECORD)
    heard[content] = Heard(content, 0.0, message, is_kept=False)

    follower.take(Entry(at(1)))

    assert delivered == ["read-before"]


async def test_what_reaches_nobody_still_moves_the_node_on(follower, tail):
    """Else it would wait for an entry that it has read already."""
    await follower.begin()

    follower.take(Entry(at(1), data=b'{"room":null}'))
    follower.take(Entry(at(2), data=b"junk"))

    assert tail.position == at(2)


async def test_entries_that_were_gone_before_they_were_read_are_a_gap_and_clients_are_told(
    follower, tail, delivered, metrics
):
    """They are hung up before the next entry gives them an offset behind the hole."""
    await follower.begin()
    follower.take(Entry(at(1), number=1))

    follower.take(Entry(at(5), number=5))

    assert metrics.overruns == 1
    assert delivered == ["group-7", "overrun", "group-7"]
    assert not tail.covers(Offset("e1", at(4)))
    assert tail.covers(Offset("e1", at(5)))


async def test_a_replica_that_has_overwritten_what_was_read_is_noticed(follower, metrics):
    """Its ids have passed ours before we have looked: only the numbers tell."""
    await follower.begin()
    follower.take(Entry(at(1), number=41))
    follower.take(Entry(at(2), number=42))

    follower.take(Entry(at(9), number=42))

    assert metrics.overruns == 1


async def test_numbers_begin_anew_with_an_epoch_and_junk_has_none(follower, delivered, metrics):
    await follower.begin()
    follower.take(Entry(at(1), number=41))
    follower.take(Entry(at(2), kind=b"x"))
    follower.take(Entry(at(3), number=42))
    follower.take(Entry(at(4), kind=b"b", channel="", data=b"e2", number=1))
    follower.take(Entry(at(5), number=2))

    assert metrics.overruns == 0
    assert "overrun" not in delivered


async def test_the_first_entry_that_is_read_may_have_any_number(follower, metrics):
    await follower.begin()

    follower.take(Entry(at(7), number=4_000))

    assert metrics.overruns == 0


async def test_a_past_that_is_read_anew_is_not_delivered_again_where_it_was_forgotten(
    follower, redis, delivered
):
    """The tail takes more room than the stream: it forgets earlier."""
    await follower.begin()
    for number in range(1, 151):
        follower.take(Entry(at(number)))
    delivered.clear()
    redis.epoch, redis.last, redis.trimmed = "e2", at(150), 0
    await follower.begin()

    for number in range(1, 151):
        follower.take(Entry(at(number)))
    follower.take(Entry(at(151)))

    assert delivered == ["group-7"]


async def test_an_offset_that_is_ahead_is_waited_for(follower, redis, tail):
    await follower.begin()
    redis.last = at(5)
    reaching = asyncio.get_running_loop().create_task(follower.reach(Offset("e1", at(5))))
    before = redis.asked
    async with asyncio.timeout(5):
        while redis.asked == before:  # noqa: ASYNC110 - a double has no event
            await asyncio.sleep(0.001)
    assert not reaching.done()

    follower.take(Entry(at(5)))
    follower.progress()

    await reaching
    assert tail.covers(Offset("e1", at(5)))


async def test_an_offset_that_does_not_exist_is_not_waited_for(follower, redis):
    await follower.begin()
    before = redis.asked

    await follower.reach(Offset("e1", at(99)))

    assert redis.asked == before + 1


async def test_a_thousand_clients_that_are_ahead_cost_two_questions(follower, redis):
    """After a restart all clients of the old epoch come at once."""
    await follower.begin()
    before = redis.asked
    loop = asyncio.get_running_loop()

    tasks = [loop.create_task(follower.reach(Offset("gone", at(1)))) for _ in range(1000)]
    await asyncio.gather(*tasks)

    assert redis.asked - before <= 2


async def test_the_past_of_a_new_node_is_kept_and_not_delivered(follower, redis, tail, delivered):
    """Found in review: clients let in during trouble got half an hour of old messages."""
    redis.last = at(2)
    await follower.begin()

    follower.take(Entry(at(1)))
    follower.take(
        Entry(at(2), channel="/channel_control", data=b'{"action":"hang_up","user_id":5}')
    )
    assert delivered == []
    follower.take(Entry(at(3)))

    assert delivered == ["group-7"]
    assert len(tail) == 2


async def test_orders_are_not_carried_out_again_when_the_journal_is_read_anew(
    follower, redis, delivered
):
    """Found in review: a client was taken out of a group that it had joined since."""
    await follower.begin()
    order = b'{"action":"set_groups","user_id":5,"group_ids":[7]}'
    follower.take(Entry(at(1), channel="/channel_control", data=order))
    follower.take(Entry(at(3)))
    assert len(delivered) == 2

    redis.last = at(2)
    await follower.begin()
    follower.take(Entry(at(1), channel="/channel_control", data=order))

    assert len(delivered) == 2
