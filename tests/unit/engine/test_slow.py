"""A client that does not read costs bounded memory, for a bounded time."""

from dataclasses import dataclass

import pytest

from channel_server.engine.options import Options
from channel_server.engine.slow import SlowClients

LIMIT = 1_000
TIMEOUT_S = 5.0
CEILING = 8 * LIMIT


@dataclass(eq=False)
class Client:
    goodbye: str | None = None
    is_paced: bool = False

    def hang_up(self, reason):
        self.goodbye = reason


@pytest.fixture
def slow(clock):
    return SlowClients(Options(write_limit=LIMIT, write_timeout_s=TIMEOUT_S), clock)


@pytest.fixture
def ann():
    return Client()


def test_client_over_the_limit_for_the_whole_time_is_hung_up(slow, ann, clock):
    slow.watch(ann, LIMIT + 1)

    clock.advance(TIMEOUT_S - 0.1)
    slow.expire()
    assert ann.goodbye is None

    clock.advance(0.1)
    slow.expire()
    assert ann.goodbye == "slow"


def test_client_at_the_limit_is_not_slow(slow, ann, clock):
    slow.watch(ann, LIMIT)
    clock.advance(TIMEOUT_S)

    slow.expire()

    assert len(slow) == 0
    assert ann.goodbye is None


def test_further_writes_do_not_give_more_time(slow, ann, clock):
    """Else a busy room would keep its slowest member for ever."""
    slow.watch(ann, LIMIT + 1)
    clock.advance(TIMEOUT_S - 1)
    slow.watch(ann, LIMIT + 2)
    clock.advance(1)

    slow.expire()

    assert ann.goodbye == "slow"


def test_client_that_has_caught_up_starts_afresh(slow, ann, clock):
    """Megabytes right after a burst prove nothing."""
    slow.watch(ann, LIMIT + 1)
    clock.advance(TIMEOUT_S - 1)
    slow.forget(ann)
    slow.watch(ann, LIMIT + 1)
    clock.advance(TIMEOUT_S - 1)

    slow.expire()

    assert ann.goodbye is None
    assert len(slow) == 1


def test_client_over_the_ceiling_is_hung_up_at_once(slow, ann):
    slow.watch(ann, CEILING + 1)

    assert ann.goodbye == "slow"


def test_client_at_the_ceiling_still_has_its_time(slow, ann):
    slow.watch(ann, CEILING)

    assert ann.goodbye is None
    assert len(slow) == 1


def test_a_large_message_does_not_count_against_the_ceiling(slow, ann):
    """Found on a busy machine: the message behind one of 9 MiB hung up who had yet to read it."""
    slow.watch(ann, 0, 2 * CEILING)
    for unread in range(2 * CEILING, 3 * CEILING, LIMIT):
        slow.watch(ann, unread, LIMIT)
        assert ann.goodbye is None

    slow.watch(ann, 3 * CEILING, LIMIT)
    assert ann.goodbye == "slow"


def test_a_second_large_message_counts(slow, ann):
    slow.watch(ann, 0, 2 * CEILING)
    slow.watch(ann, 2 * CEILING, 2 * CEILING)

    assert ann.goodbye == "slow"


def test_a_large_message_that_was_read_counts_no_more(slow, ann):
    slow.watch(ann, 0, 2 * CEILING)
    slow.forget(ann)

    slow.watch(ann, CEILING + 1, LIMIT)

    assert ann.goodbye == "slow"


def test_only_those_that_are_slow_are_hung_up(slow, ann, clock):
    ben = Client()
    slow.watch(ann, LIMIT + 1)
    clock.advance(1)
    slow.watch(ben, LIMIT + 1)
    clock.advance(TIMEOUT_S - 1)

    slow.expire()

    assert (ann.goodbye, ben.goodbye) == ("slow", None)
