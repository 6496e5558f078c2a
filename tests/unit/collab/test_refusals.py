"""How long a client that was refused is sent away without a look."""

import pytest

from channel_server.collab.refusals import Refusals

ANN, BEN = ("d", "1,ann"), ("d", "2,ben")


@pytest.fixture
def refusals(clock):
    return Refusals(clock)


def test_the_pause_grows_to_five_minutes(refusals, clock):
    for pause_s in (60, 120, 240, 300, 300):
        refusals.note(*ANN)
        clock.advance(pause_s - 1)
        assert refusals.stand(*ANN)
        clock.advance(2)
        assert not refusals.stand(*ANN)


def test_it_begins_anew_after_a_while(refusals, clock):
    for _ in range(3):
        refusals.note(*ANN)
    clock.advance(240 + 301)
    refusals.note(*ANN)
    clock.advance(61)

    assert not refusals.stand(*ANN)


def test_others_are_not_meant(refusals):
    refusals.note(*ANN)

    assert not refusals.stand(*BEN)
    assert not refusals.stand("d 1", ",ann")


def test_no_more_than_ten_thousand_are_remembered(refusals):
    refusals.note(*ANN)
    for number in range(10_000):
        refusals.note("d", str(number))

    assert not refusals.stand(*ANN)
    assert refusals.stand("d", "0")
