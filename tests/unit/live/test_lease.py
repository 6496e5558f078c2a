"""Who records: one node at a time, one that hears; and what is said of the rest."""

import asyncio
from dataclasses import dataclass, field

import pytest

from channel_server.core.journal_state import Appended, Bounds, JournalState, LeaseWish, Role
from channel_server.errors import RedisLost, RedisRefused
from channel_server.live.lease import Lease
from channel_server.live.recorder import Duty, Recorder
from channel_server.metrics import Metrics

pytestmark = pytest.mark.asyncio

NOW_US = 1_000_000_000


@dataclass
class Store:
    """The journal of a Redis that a test makes up: ``role`` and ``covered_to`` are what it says."""

    role: Role = Role.OTHER
    covered_to: int | None = None
    last: int = 0
    nodes: int = 1
    trouble: Exception | None = None
    said: list = field(default_factory=list)

    async def tick(self, wish, covered_to):
        self.said.append((wish, covered_to))
        if self.trouble is not None:
            raise self.trouble
        return JournalState(
            epoch="e1",
            trimmed=0,
            last=self.last,
            role=self.role,
            covered_to=self.covered_to,
            now_ms=NOW_US // 1000,
            secret=b"secret",
            nodes=self.nodes,
        )

    async def admit_gap(self):
        self.said.append("gap")
        return self.last

    async def release(self, covered_to, *, for_good):
        self.said.append(("release", covered_to, for_good))

    def append(self, contents, answer, *, after_gap):
        del answer
        self.said.append(("append", [data for _, data in contents], after_gap))
        return True


def state_of(store):
    """What a tick has found that was before all that the test is about."""
    return JournalState(
        epoch="e1",
        trimmed=0,
        last=0,
        role=Role.FREE,
        covered_to=store.covered_to,
        now_ms=NOW_US // 1000,
        secret=b"secret",
        nodes=1,
    )


@dataclass
class Coverage:
    covered_from: int | None = NOW_US - 500_000
    covered_to: int = NOW_US - 100_000
    probes: int = 0

    def probe(self):
        self.probes += 1


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def coverage():
    return Coverage()


@pytest.fixture
def place():
    """How far this node has read."""
    return [0]


@pytest.fixture
def recorder(store, clock):
    return Recorder(
        store,
        read=lambda content: content[1],
        deliver=len,
        deliver_large=lambda message, _: len(message),
        bounds=Bounds(window_s=60, max_entries=100_000, max_bytes=10_000),
        metrics=Metrics(),
        clock=clock,
        changed=lambda: None,
    )


@pytest.fixture
def has_plain_publishers():
    return True


@pytest.fixture
def lease(store, recorder, coverage, place, clock, has_plain_publishers):
    lease = Lease(
        store,
        recorder,
        bounds=Bounds(window_s=60, max_entries=100, max_bytes=1_000_000),
        position=lambda: place[0],
        are_gaps_admitted=has_plain_publishers,
        clock=clock,
        changed=lambda: None,
    )
    lease.coverage = coverage
    lease.state = state_of(store)
    lease.wholeness.loaded()
    recorder._changed = lease.troubled
    return lease


def wishes(store):
    return [each[0] for each in store.said if isinstance(each[0], LeaseWish)]


async def test_a_node_that_hears_nothing_does_not_ask_for_the_lease(lease, store, coverage):
    coverage.covered_from = None

    await lease.tick()

    assert wishes(store) == [LeaseWish.WATCH]


async def test_a_node_that_hears_takes_a_free_lease_reads_to_the_end_and_records(
    lease, store, recorder, place
):
    store.role, store.last, store.covered_to = Role.TAKEN, 7, NOW_US
    recorder.heard("/records", b"1")

    await lease.tick()
    assert recorder.duty is Duty.TAKING

    place[0] = 7
    lease.progress()
    await asyncio.sleep(0)
    assert recorder.duty is Duty.RECORDING
    assert store.said[-1] == ("append", [b"1"], False)


@pytest.mark.parametrize(
    ("covered_from", "covered_to", "is_hole"),
    [
        (NOW_US - 100, NOW_US - 50, False),
        (NOW_US - 100, NOW_US - 100, False),
        (NOW_US - 100, NOW_US - 101, True),
        (NOW_US - 100, None, True),
    ],
)
async def test_a_hole_between_the_last_holder_and_this_node_is_admitted(
    lease, store, coverage, covered_from, covered_to, is_hole
):
    store.role, store.covered_to = Role.TAKEN, covered_to
    coverage.covered_from = covered_from

    await lease.tick()
    await asyncio.sleep(0)

    appended = [each for each in store.said if each[0] == "append"]
    assert appended == ([("append", [], True)] if is_hole else [])


@pytest.mark.parametrize("has_plain_publishers", [False])
async def test_without_plain_publishers_there_are_no_holes(lease, store):
    store.role = Role.TAKEN

    await lease.tick()
    await asyncio.sleep(0)

    assert [each for each in store.said if each[0] == "append"] == []
    assert lease.wholeness.event.is_set()


async def test_only_what_was_sent_to_be_appended_counts_as_covered(
    lease, store, recorder, coverage
):
    store.role, store.covered_to = Role.TAKEN, NOW_US
    await lease.tick()
    store.role = Role.MINE
    await lease.tick()
    recorder.heard("/records", b"1")
    await lease.tick()

    covered = [each[1] for each in store.said if isinstance(each[0], LeaseWish)]
    assert covered == [None, coverage.covered_to, None]
    assert coverage.probes == 2


async def test_a_node_that_has_gone_deaf_gives_the_lease_back(lease, store, recorder, coverage):
    store.role, store.covered_to = Role.TAKEN, NOW_US
    await lease.tick()
    assert recorder.duty is Duty.RECORDING

    coverage.covered_from = None
    lease.deaf()
    store.role = Role.OTHER
    await lease.tick()

    assert recorder.duty is Duty.WATCHING
    assert ("release", coverage.covered_to, False) in store.said
    assert not lease.wholeness.event.is_set()
    assert wishes(store)[-1] is LeaseWish.WATCH


async def test_a_holder_that_does_not_append_what_this_node_hears_is_replaced(
    lease, store, recorder, clock
):
    await lease.tick()
    recorder.heard("/records", b"1")
    clock.advance(1.9)
    await lease.tick()
    await lease.tick()
    assert LeaseWish.FORCE not in wishes(store)

    clock.advance(0.2)
    await lease.tick()
    await lease.tick()

    assert wishes(store)[-1] is LeaseWish.FORCE


async def test_a_holder_is_not_replaced_by_a_node_that_has_not_read_what_there_is(
    lease, store, recorder, clock, place
):
    """The message may be in the part that this node has yet to read."""
    store.last = 9
    recorder.heard("/records", b"1")
    await lease.tick()

    clock.advance(100)
    await lease.tick()
    await lease.tick()
    assert LeaseWish.FORCE not in wishes(store)

    place[0] = 9
    await lease.tick()
    assert wishes(store)[-1] is LeaseWish.FORCE


async def test_the_word_of_a_holder_counts_if_it_is_fresh_and_younger_than_our_own_hearing(
    lease, store, coverage
):
    """After kill -9 the lease looks held for three seconds, and nobody hears."""
    store.covered_to = coverage.covered_from - 1
    await lease.tick()
    assert not lease.wholeness.event.is_set()

    store.covered_to = NOW_US - 3_000_000
    coverage.covered_from = NOW_US - 9_000_000
    await lease.tick()
    assert not lease.wholeness.event.is_set()

    store.covered_to = NOW_US - 1_000_000
    await lease.tick()
    assert lease.wholeness.event.is_set()


async def test_trouble_is_told_and_a_gap_is_admitted_when_it_is_over(lease, store, recorder):
    store.role, store.covered_to = Role.TAKEN, NOW_US
    await lease.tick()
    lease.refused("WRONGTYPE")
    recorder.heard("/records", b"1")
    assert not lease.wholeness.event.is_set()
    store.trouble = RedisRefused("OOM")
    with pytest.raises(RedisRefused):
        await lease.tick()
    assert "gap" not in store.said

    store.trouble, store.role = None, Role.MINE
    await lease.tick()
    assert recorder.trouble == "WRONGTYPE"
    lease.readable()
    await lease.tick()

    assert "gap" in store.said
    assert recorder.trouble == ""


async def test_trouble_in_which_nothing_was_delivered_leaves_no_gap(lease, store, recorder):
    """Redis stood still for a while: nobody has missed anything."""
    recorder.degrade("no answer")

    await lease.tick()

    assert "gap" not in store.said
    assert recorder.trouble == ""


async def test_a_journal_that_says_nothing_is_in_trouble(lease, store, recorder, clock):
    await lease.tick()
    store.trouble = RedisLost("no answer")

    clock.advance(1.9)
    lease._look()
    assert recorder.trouble == ""
    clock.advance(0.2)
    lease._look()

    assert recorder.trouble == "no answer"


async def test_a_message_waits_a_second_for_a_journal_that_says_nothing(lease, recorder, clock):
    await lease.tick()
    clock.advance(0.1)
    recorder.heard("/records", b"1")
    clock.advance(0.9)
    lease._look()
    assert recorder.trouble == ""

    clock.advance(0.2)
    lease._look()

    assert recorder.trouble == "no answer"


async def test_a_message_waits_a_second_for_a_journal_that_cannot_be_read(lease, recorder, clock):
    """Found in review: only the connection that reads was stuck, and it took a probe to notice."""
    clock.advance(0.1)
    recorder.heard("/records", b"1")
    clock.advance(1.1)
    await lease.tick()

    lease._look()
    assert recorder.trouble == "no answer"
    await lease.tick()
    assert recorder.trouble == "no answer"

    lease.readable()
    await lease.tick()
    assert recorder.trouble == ""


async def test_a_node_that_is_busy_delivering_is_reading(lease, recorder, clock, place):
    recorder.heard("/records", b"1")
    for _ in range(10):
        clock.advance(0.5)
        place[0] += 1
        await lease.tick()
        lease._look()

    assert recorder.trouble == ""


async def test_a_redis_that_is_away_altogether_is_no_trouble_of_the_journal(
    lease, recorder, coverage, clock
):
    """Nothing is heard either; ``/ready`` says so."""
    coverage.covered_from = None

    clock.advance(100)
    lease._look()

    assert recorder.trouble == ""


async def test_clients_are_let_in_when_the_gap_of_the_start_has_been_read(
    lease, store, recorder, place
):
    """One that connects before it would be told to have missed something, and has not."""
    store.role = Role.TAKEN
    await lease.tick()
    await asyncio.sleep(0)
    await lease.tick()
    assert not lease.is_settled

    recorder.appends._appended(Appended.YES, "", 1, has_gap=True)
    store.role, store.last = Role.MINE, 5
    await lease.tick()
    assert not lease.is_settled
    place[0] = 5
    lease.progress()
    assert lease.is_settled


async def test_at_the_end_the_lease_is_given_back_and_not_taken_again(lease, store, coverage):
    store.role, store.covered_to = Role.TAKEN, NOW_US
    await lease.tick()

    await lease.stop()
    await lease.tick()

    assert ("release", coverage.covered_to, True) in store.said
    assert wishes(store)[-1] is LeaseWish.WATCH


async def test_an_end_without_redis_is_an_end(lease, store):
    async def away(_covered_to, *, for_good):
        del for_good
        raise RedisLost("away")

    store.release = away

    await lease.stop()


async def test_a_node_with_a_hole_lets_those_go_first_that_may_have_none(
    lease, store, recorder, coverage, clock
):
    """Found by cutting off the recorder: it came back first, and admitted a gap that was none."""
    store.nodes, store.role, store.covered_to = 2, Role.FREE, coverage.covered_from - 1
    await lease.tick()
    await lease.tick()
    assert wishes(store)[-1] is LeaseWish.WATCH

    clock.advance(0.8)
    await lease.tick()
    assert wishes(store)[-1] is LeaseWish.TAKE
    assert recorder.duty is Duty.WATCHING


async def test_a_node_without_a_hole_takes_a_free_lease_at_once(lease, store, coverage):
    store.nodes, store.role, store.covered_to = 2, Role.FREE, coverage.covered_from
    await lease.tick()
    await lease.tick()

    assert wishes(store)[-1] is LeaseWish.TAKE


async def test_a_lone_node_waits_for_nobody(lease, store, coverage):
    store.role, store.covered_to = Role.FREE, coverage.covered_from - 1
    await lease.tick()
    await lease.tick()

    assert wishes(store)[-1] is LeaseWish.TAKE


async def test_a_node_with_a_hole_in_the_journal_asks_for_nothing_before_the_next_proof(
    lease, store, coverage, clock
):
    store.role = Role.FREE
    await lease.tick()
    lease.overrun()
    await lease.tick()
    assert coverage.probes > 0

    lease.proven(clock())
    await lease.tick()

    assert wishes(store)[-2:] == [LeaseWish.WATCH, LeaseWish.TAKE]


async def test_nothing_is_whole_before_the_past_is_loaded(store, recorder, coverage, clock):
    """Found in review: Redis stood still meanwhile, clients were let in and claimed to recover."""
    lease = Lease(
        store,
        recorder,
        bounds=Bounds(window_s=60, max_entries=100, max_bytes=1_000_000),
        position=lambda: 0,
        are_gaps_admitted=False,
        clock=clock,
        changed=lambda: None,
    )
    lease.coverage = coverage
    await lease.tick()
    assert not lease.wholeness.event.is_set()

    lease.wholeness.loaded()
    await lease.tick()

    assert lease.wholeness.event.is_set()


async def test_a_node_looks_before_it_takes(lease, store):
    """Who has the lease, and how far that one has heard, is not known before the first tick."""
    lease.state = None

    await lease.tick()

    assert wishes(store) == [LeaseWish.WATCH]


async def test_nobody_recovers_before_the_gap_has_been_read_here(lease, store, recorder, place):
    """Found by breaking the journal for a moment: the gap was there, and this node had not seen it."""
    store.covered_to = NOW_US
    recorder.degrade("WRONGTYPE")
    recorder.heard("/records", b"1")
    store.last = 9

    await lease.tick()
    assert "gap" in store.said
    assert recorder.trouble == ""
    assert lease.wholeness.is_doubtful

    place[0] = 9
    lease.progress()
    assert lease.wholeness.event.is_set()


async def test_trouble_is_no_doubt(lease, recorder):
    """Nobody need be kept waiting for what is known: that not everything is kept."""
    recorder.degrade("OOM")

    assert not lease.wholeness.event.is_set()
    assert not lease.wholeness.is_doubtful


async def test_a_node_that_goes_deaf_with_something_to_append_says_nothing_of_it(
    lease, store, recorder
):
    """It has heard it, and nobody can be sure that it gets into the journal."""
    store.role, store.covered_to = Role.TAKEN, NOW_US
    await lease.tick()
    recorder.heard("/records", b"1")

    lease.deaf()
    await lease.tick()

    assert ("release", None, False) in store.said
