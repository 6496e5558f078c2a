"""Deadlines by example; against a model: tests/property/test_deadlines.py."""

import pytest

from channel_server.engine.deadlines import Deadlines


@pytest.fixture
def deadlines(clock):
    return Deadlines(10.0, clock)


def test_member_expires_when_its_time_has_run_out_and_not_before(deadlines, clock):
    deadlines.start("a")

    clock.advance(9.9)
    assert deadlines.expired() == []

    clock.advance(0.1)
    assert deadlines.expired() == ["a"]


def test_expired_member_is_gone(deadlines, clock):
    deadlines.start("a")
    clock.advance(10)
    deadlines.expired()

    assert "a" not in deadlines
    assert deadlines.expired() == []


def test_members_expire_in_the_order_of_their_start(deadlines, clock):
    for member in "cab":
        deadlines.start(member)
        clock.advance(1)

    clock.advance(8)

    assert deadlines.expired() == ["c", "a"]
    assert "b" in deadlines


def test_starting_again_gives_the_full_time_again(deadlines, clock):
    deadlines.start("a")
    deadlines.start("b")
    clock.advance(6)
    deadlines.start("a")

    clock.advance(4)

    assert deadlines.expired() == ["b"]
    assert deadlines.left_s("a") == 6.0


def test_stopped_member_never_expires(deadlines, clock):
    deadlines.start("a")
    deadlines.stop("a")
    deadlines.stop("stranger")

    clock.advance(100)

    assert deadlines.expired() == []
    assert len(deadlines) == 0


def test_tolerance_takes_those_that_are_nearly_due(deadlines, clock):
    """The caller's ticks are coarse: rather early by one than late by one."""
    deadlines.start("a")
    clock.advance(9)

    assert deadlines.expired(0.9) == []
    assert deadlines.expired(1.0) == ["a"]


def test_time_left_of_a_stranger_is_none(deadlines):
    assert deadlines.left_s("a") is None


def test_time_left_is_negative_once_it_has_run_out(deadlines, clock):
    deadlines.start("a")
    clock.advance(12)

    assert deadlines.left_s("a") == -2.0


def test_infinite_delay_never_expires(clock):
    """An option that is off is a delay without an end."""
    deadlines = Deadlines(float("inf"), clock)
    deadlines.start("a")

    clock.advance(10**9)

    assert deadlines.expired() == []
    assert "a" in deadlines
