"""How often, and for how long, a connection is tried for."""

import pytest

from publisher.attempts import PAUSES_S, Attempts
from publisher.errors import RedisRefused, RedisUnavailable

AWAY = RedisUnavailable("away")


class Clock:
    """Time that moves by hand."""

    now = 100.0

    def __call__(self):
        return self.now


def test_three_attempts_with_growing_pauses():
    attempts = Attempts(5.0, Clock())

    assert [attempts.pause_after(AWAY) for _ in PAUSES_S] == [0.05, 0.2]
    with pytest.raises(RedisUnavailable):
        attempts.pause_after(AWAY)


def test_no_attempt_begins_after_the_time_is_up():
    """A Redis that hangs for the whole time-out is not waited for again."""
    clock = Clock()
    attempts = Attempts(5.0, clock)
    clock.now += 4.96

    with pytest.raises(RedisUnavailable):
        attempts.pause_after(AWAY)


def test_a_refusal_is_final():
    """A wrong password stays wrong."""
    with pytest.raises(RedisRefused):
        Attempts(5.0, Clock()).pause_after(RedisRefused("WRONGPASS", "check it"))
