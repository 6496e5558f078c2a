"""A client that says too much in one second is hung up, and only that one."""

import pytest

from channel_server.engine.talkers import Talkers


class Client:
    goodbye = None

    def hang_up(self, reason):
        self.goodbye = reason


@pytest.fixture
def talkers(clock):
    return Talkers(3, clock)


def test_who_says_one_too_many_is_hung_up(talkers):
    ann, ben = Client(), Client()

    assert [talkers.said(ann) for _ in range(4)] == [True, True, True, False]
    assert talkers.said(ben)

    assert (ann.goodbye, ben.goodbye) == ("flood", None)


def test_every_second_counts_anew(talkers, clock):
    ann = Client()
    for _ in range(10):
        assert all(talkers.said(ann) for _ in range(3))
        clock.advance(1.0)

    assert ann.goodbye is None


def test_the_silent_cost_nothing(talkers, clock):
    for _ in range(100):
        talkers.said(Client())
    clock.advance(1.0)
    talkers.said(Client())

    assert len(talkers._said) == 1
