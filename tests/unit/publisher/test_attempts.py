"""How often, and for how long, a connection is tried for."""

import pytest

from publisher.attempts import PAUSES_S, Attempts
from publisher.deadline import begin
from publisher.errors import RedisRefused, RedisUnavailable

AWAY = RedisUnavailable("away")


def test_three_attempts_with_growing_pauses():
    attempts = Attempts()

    begin(5.0)
    assert [attempts.pause_after(AWAY) for _ in PAUSES_S] == [0.05, 0.2]
    with pytest.raises(RedisUnavailable):
        attempts.pause_after(AWAY)


def test_no_attempt_begins_after_the_time_is_up():
    """A Redis that hangs for the whole time-out is not waited for again."""
    begin(0.04)
    with pytest.raises(RedisUnavailable):
        Attempts().pause_after(AWAY)


def test_a_refusal_is_final():
    """A wrong password stays wrong."""
    with pytest.raises(RedisRefused):
        Attempts().pause_after(RedisRefused("WRONGPASS", "check it"))
