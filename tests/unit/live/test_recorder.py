"""What a node does with what it hears: append it, or keep it until somebody has."""

import asyncio

import pytest

from channel_server.core.journal_state import Appended, Bounds
from channel_server.live.recorder import Duty, Recorder
from channel_server.metrics import Metrics
from publisher.contract.journal import MARK

pytestmark = pytest.mark.asyncio


class Appender:
    """A journal whose answers come when the test says so."""

    def __init__(self):
        self.batches = []
        self.is_up = True
        self._answer = None

    def append(self, contents, answer, *, after_gap):
        if not self.is_up:
            return False
        assert self._answer is None, "two appends at once have no order"
        self.batches.append([*(["gap"] if after_gap else []), *(data for _, data in contents)])
        self._answer = answer
        return True

    def answers(self, outcome, code="", position=0):
        answer, self._answer = self._answer, None
        answer(outcome, code, position)


@pytest.fixture
def appender():
    return Appender()


LARGE = b"x" * 10_000
"""More than is kept."""


@pytest.fixture
def delivered():
    return []


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def changes():
    return []


@pytest.fixture
def passed_over():
    return []


@pytest.fixture
def recorder(appender, delivered, passed_over, metrics, clock, changes):
    def deliver(message):
        delivered.append(message)
        return 10

    def deliver_large(message, content):
        passed_over.append(content)
        return deliver(message)

    return Recorder(
        appender,
        read=lambda content: None if content[1] == b"for nobody" else content[1],
        deliver=deliver,
        deliver_large=deliver_large,
        bounds=Bounds(
            window_s=60, max_entries=100_000, max_bytes=4000, max_message_bytes=len(LARGE) - 1
        ),
        metrics=metrics,
        clock=clock,
        changed=lambda: changes.append("changed"),
    )


def hear(recorder, *payloads):
    for payload in payloads:
        recorder.heard("/records", payload)


async def turn():
    """Let the loop do what is due."""
    await asyncio.sleep(0)


async def test_the_holder_appends_all_that_was_heard_in_one_turn_of_the_loop(recorder, appender):
    recorder.record()

    hear(recorder, b"1", b"2", b"3")
    await turn()

    assert appender.batches == [[b"1", b"2", b"3"]]


async def test_one_append_is_under_way_at_a_time_and_order_is_kept(recorder, appender):
    recorder.record()
    hear(recorder, b"1")
    await turn()
    hear(recorder, b"2")
    await turn()
    hear(recorder, b"3")
    await turn()
    assert appender.batches == [[b"1"]]

    appender.answers(Appended.YES)

    assert appender.batches == [[b"1"], [b"2", b"3"]]


async def test_who_does_not_hold_the_lease_keeps_what_it_hears(recorder, appender, delivered):
    hear(recorder, b"1")
    await turn()

    assert appender.batches == delivered == []
    assert recorder.oldest.content == ("/records", b"1")


async def test_who_takes_over_appends_what_it_has_not_seen(recorder, appender):
    hear(recorder, b"1", b"2", b"3")
    recorder.seen(("/records", b"2"), is_old=False)

    recorder.record()
    await turn()

    assert appender.batches == [[b"1", b"3"]]


async def test_what_is_in_the_journal_already_is_not_appended(recorder, appender):
    recorder.record()

    hear(recorder, b"lib" + MARK)
    await turn()

    assert appender.batches == []
    assert recorder.seen(("/records", b"lib"), is_old=False) is not None


async def test_what_reaches_nobody_is_not_kept(recorder, appender):
    recorder.record()

    hear(recorder, b"for nobody")
    await turn()

    assert appender.batches == []
    assert recorder.oldest is None


async def test_what_was_seen_first_is_not_appended(recorder, appender):
    recorder.record()
    assert recorder.seen(("/records", b"1"), is_old=False) is None

    hear(recorder, b"1")
    await turn()

    assert appender.batches == []


async def test_a_lease_that_is_gone_ends_the_recording_and_loses_nothing(recorder, appender):
    recorder.record()
    hear(recorder, b"1")
    await turn()
    hear(recorder, b"2")

    appender.answers(Appended.NOT_OURS)
    await turn()

    assert recorder.duty is Duty.WATCHING
    assert [heard.content[1] for heard in recorder._unseen.waiting()] == [b"1", b"2"]


async def test_a_connection_that_is_gone_is_waited_for(recorder, appender):
    recorder.record()
    appender.is_up = False
    hear(recorder, b"1")
    await turn()
    recorder.watch()  # it came back, and what was under way is uncertain

    appender.is_up = True
    recorder.record()
    await turn()

    assert appender.batches == [[b"1"]]


async def test_a_journal_that_refuses_gives_clients_at_once_what_was_heard(
    recorder, appender, delivered, metrics, changes
):
    recorder.record()
    hear(recorder, b"1")
    await turn()
    hear(recorder, b"2")

    appender.answers(Appended.REFUSED, "OOM")
    hear(recorder, b"3")

    assert delivered == [b"1", b"2", b"3"]
    assert recorder.trouble == "OOM"
    assert recorder.appends.must_admit_gap
    assert metrics.degradations == 1
    assert changes == ["changed"]


async def test_what_its_publisher_has_appended_is_looked_for_in_the_journal_for_a_second(
    recorder, delivered, clock
):
    """Found by stopping Redis: clients that came between the two ways of hearing missed it."""
    recorder.degrade("no answer")
    hear(recorder, b"lib" + MARK)
    recorder.deliver_waiting()
    assert delivered == []

    clock.advance(1.1)
    recorder.deliver_waiting()
    assert delivered == [b"lib"]


@pytest.mark.parametrize("is_seen", [True, False])
async def test_what_is_heard_after_that_waits_for_it(recorder, delivered, clock, is_seen):
    """Found in review: one publisher, out of memory every other time."""
    recorder.degrade("OOM")
    hear(recorder, b"lib" + MARK, b"1")
    clock.advance(0.5)
    recorder.deliver_waiting()
    assert delivered == []

    if is_seen:
        recorder.seen(("/records", b"lib"), is_old=False)
        await turn()
        assert delivered == [b"1"]
    else:
        clock.advance(0.6)
        recorder.deliver_waiting()
        assert delivered == [b"lib", b"1"]
    clock.advance(1.1)
    hear(recorder, b"2")
    assert delivered[-1] == b"2"


async def test_what_clients_have_is_known_when_the_journal_shows_it_after_all(recorder, delivered):
    hear(recorder, b"1")
    recorder.degrade("no answer")

    heard = recorder.seen(("/records", b"1"), is_old=False)

    assert heard.is_delivered
    assert delivered == [b"1"]


async def test_a_gap_goes_before_the_first_that_is_appended_again(recorder, appender, changes):
    recorder.degrade("OOM")
    hear(recorder, b"1")
    recorder.heal()
    recorder.record()
    hear(recorder, b"2")
    await turn()

    assert appender.batches == [["gap", b"2"]]
    assert not recorder.appends.must_admit_gap
    assert recorder.trouble == ""
    assert changes == ["changed", "changed"]


async def test_what_claims_to_be_in_the_journal_and_is_not_is_appended_in_the_end(
    recorder, appender, clock
):
    """A publisher on another database of this Redis, or one that lies."""
    recorder.record()
    hear(recorder, b"lib" + MARK)

    clock.advance(1.9)
    recorder.look_after(clock())
    await turn()
    assert appender.batches == []

    clock.advance(0.2)
    recorder.look_after(clock())
    await turn()
    assert appender.batches == [[b"lib"]]


async def test_it_is_the_recorders_business_before_it_is_anybody_elses(recorder, clock):
    hear(recorder, b"lib" + MARK)
    hear(recorder, b"plain")
    kept, plain = recorder._unseen.waiting()

    clock.advance(3.0)

    assert recorder.is_overdue(plain, clock())
    assert not recorder.is_overdue(kept, clock())


async def test_nothing_is_overdue_that_this_node_may_not_have_read_yet(recorder, clock):
    hear(recorder, b"1")
    clock.advance(100)

    assert not recorder.is_overdue(recorder.oldest, float("-inf"))


async def test_what_had_to_be_given_up_is_admitted(recorder):
    """Bounded memory: more than fits was heard and not seen."""
    hear(recorder, *(b"%01200d" % number for number in range(5)))

    recorder.look_after(0.0)

    assert recorder.appends.must_admit_gap


async def test_a_batch_is_bounded_by_number_and_bytes(appender, clock):
    big = Recorder(
        appender,
        read=lambda content: content[1],
        deliver=len,
        deliver_large=lambda message, _: len(message),
        bounds=Bounds(window_s=60, max_entries=100_000, max_bytes=1 << 30),
        metrics=Metrics(),
        clock=clock,
        changed=lambda: None,
    )
    big.record()
    hear(big, *(b"%d" % number for number in range(500)))
    await turn()
    while len(appender.batches) < 3:
        appender.answers(Appended.YES)
    assert [len(batch) for batch in appender.batches] == [200, 200, 100]
    appender.answers(Appended.YES)

    hear(big, *(bytes([number]) * 600_000 for number in range(3)))
    await turn()
    appender.answers(Appended.YES)
    appender.answers(Appended.YES)
    assert [len(batch) for batch in appender.batches[3:]] == [1, 1, 1]


@pytest.mark.parametrize(
    "bounds",
    [
        Bounds(window_s=60, max_entries=100_000, max_bytes=4 * 10 * 210),
        Bounds(window_s=60, max_entries=40, max_bytes=1 << 30),
    ],
    ids=["bytes", "entries"],
)
async def test_who_appends_does_not_run_ahead_of_what_it_has_read(appender, clock, bounds):
    """Found with ten times what can be delivered: it pushed out what it had not read itself."""
    recorder = Recorder(
        appender,
        read=lambda content: content[1],
        deliver=len,
        deliver_large=lambda message, _: len(message),
        bounds=bounds,
        metrics=Metrics(),
        clock=clock,
        changed=lambda: None,
    )
    recorder.record()
    payloads = [b"%0100d" % number for number in range(12)]
    hear(recorder, *payloads)
    await turn()
    appender.answers(Appended.YES, position=10)
    recorder.appends.read_to(9)
    await turn()
    assert appender.batches == [payloads[:10]]
    assert not recorder.appends.is_idle

    recorder.appends.read_to(10)
    await turn()

    assert appender.batches == [payloads[:10], payloads[10:]]


async def test_a_message_that_is_larger_than_that_goes_alone(recorder, appender):
    recorder.record()
    hear(recorder, b"1", b"x" * 3600, b"2")
    await turn()
    appender.answers(Appended.YES, position=1)
    assert appender.batches == [[b"1"]]

    recorder.appends.read_to(1)
    await turn()
    appender.answers(Appended.YES, position=2)
    assert appender.batches[1:] == [[b"x" * 3600]]

    recorder.appends.read_to(2)
    await turn()
    assert appender.batches[2:] == [[b"2"]]


async def test_what_was_appended_and_is_given_up_before_it_is_seen_is_no_gap(recorder, appender):
    """It is in the journal; and it still counts as not read."""
    recorder.record()
    hear(recorder, b"1" * 890)
    await turn()
    appender.answers(Appended.YES, position=1)
    hear(recorder, *(b"%0800d" % number for number in range(4)))
    await turn()

    recorder.look_after(0.0)

    assert len(appender.batches) == 1
    assert not recorder.appends.must_admit_gap


async def test_what_is_given_up_before_it_is_appended_is_not_kept_for_it(recorder):
    recorder.record()
    hear(recorder, b"first")
    await turn()

    hear(recorder, *(b"%01200d" % number for number in range(5)))

    assert len(recorder.appends._queue) == 3
    recorder.look_after(0.0)
    assert recorder.appends.must_admit_gap


async def test_after_an_overrun_nothing_old_is_appended_behind_what_is_newer(recorder, appender):
    """Found in review: an order that was in the hole undid a newer one."""
    hear(recorder, b"in the hole" + MARK, b"plainly")
    recorder.overrun()
    hear(recorder, b"heard late" + MARK, b"late, plainly")
    assert recorder.is_behind

    recorder.proven(recorder._clock())

    assert not recorder.is_behind
    assert recorder.appends.must_admit_gap
    recorder.record()
    hear(recorder, b"new")
    await turn()
    assert appender.batches == [["gap", b"new"]]


async def test_what_this_node_has_yet_to_append_is_not_in_the_hole(recorder, appender):
    recorder.record()
    hear(recorder, b"1")
    await turn()
    hear(recorder, b"2")

    recorder.overrun()
    recorder.proven(recorder._clock())
    appender.answers(Appended.YES)

    assert appender.batches[1][-1] == b"2"


async def test_a_gap_of_which_nobody_knows_if_it_was_appended_is_admitted_again(
    recorder, appender
):
    """Found in review: the connection was lost before the answer, and the gap with it."""
    recorder.record()
    recorder.appends.must_admit_gap = True
    hear(recorder, b"1")
    await turn()
    assert appender.batches == [["gap", b"1"]]

    recorder.watch()

    assert recorder.appends.must_admit_gap


async def test_the_same_words_after_an_overrun_are_another_message(recorder, appender):
    """Found in review: they were taken for those that were read from behind the hole."""
    recorder.record()
    hear(recorder, b"again")
    await turn()
    appender.answers(Appended.YES, position=1)
    recorder.overrun()
    recorder.seen(("/records", b"again"), is_old=False)

    hear(recorder, b"again")
    await turn()

    assert appender.batches[1][-1] == b"again"


async def test_what_was_appended_after_an_overrun_is_still_waited_for(recorder, appender, clock):
    recorder.record()
    recorder.overrun()
    clock.advance(0.1)
    hear(recorder, b"new", b"old" + MARK)
    await turn()
    appender.answers(Appended.YES, position=1)
    recorder.proven(clock())

    assert recorder.seen(("/records", b"new"), is_old=False) is not None
    assert recorder.seen(("/records", b"old"), is_old=False) is None


async def test_at_the_end_what_was_heard_is_still_appended(recorder, appender):
    recorder.record()
    hear(recorder, b"1")
    await turn()
    hear(recorder, b"2")
    finishing = asyncio.get_running_loop().create_task(recorder.appends.finish())
    await turn()
    assert not finishing.done()

    appender.answers(Appended.YES)
    appender.answers(Appended.YES)
    await finishing

    assert appender.batches == [[b"1"], [b"2"]]
    assert recorder.appends.is_done


# ── messages that are too large to be kept ──────────────────────────────────────────────────


async def test_a_large_message_is_delivered_behind_what_was_heard_before_it(
    recorder, appender, delivered, passed_over
):
    recorder.record()
    hear(recorder, b"1", LARGE, b"2")
    await turn()

    assert delivered == [b"1", LARGE]
    assert appender.batches == [["gap", b"1", b"2"]]
    assert [payload for _, payload in passed_over] == [LARGE]
    assert recorder.seen(("/records", b"1"), is_old=False).is_delivered
    assert not recorder.seen(("/records", b"2"), is_old=False).is_delivered


async def test_who_does_not_record_delivers_a_large_message_and_admits_no_gap(
    recorder, appender, delivered
):
    hear(recorder, LARGE)
    recorder.gap_seen()
    recorder.record()
    await turn()

    assert delivered == [LARGE]
    assert appender.batches == []


async def test_if_the_recording_node_dies_before_it_admits_the_gap_the_next_one_does(
    recorder, appender
):
    hear(recorder, LARGE)
    recorder.record()
    await turn()

    assert appender.batches == [["gap"]]
