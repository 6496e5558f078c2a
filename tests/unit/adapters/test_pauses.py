"""Back-off by number of attempt."""

import pytest

from channel_server.adapters.pauses import growing


def test_pause_doubles_from_50_ms_to_5_s():
    pause_s = growing(lambda: 1.0)

    assert [pause_s(attempt) for attempt in range(1, 10)] == pytest.approx(
        [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    )


def test_pause_is_at_least_half_of_its_length():
    """Chance keeps many servers from returning in the same moment, and none from waiting."""
    shortest, longest = growing(lambda: 0.0), growing(lambda: 1.0)

    for attempt in range(1, 20):
        assert shortest(attempt) == pytest.approx(longest(attempt) / 2)


def test_pause_stays_the_longest_however_often_it_failed():
    """A Redis that is away for a year: 2.0 ** attempt must not overflow."""
    assert growing(lambda: 1.0)(10**6) == 5.0


def test_chance_is_asked_for_every_pause():
    chances = iter((0.0, 1.0))
    pause_s = growing(lambda: next(chances))

    assert pause_s(1) == pytest.approx(0.025)
    assert pause_s(1) == pytest.approx(0.05)
