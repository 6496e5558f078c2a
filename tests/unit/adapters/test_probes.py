"""What a node says to itself, as far as no network is needed: the rest is tests/integration."""

import pytest
import pytest_asyncio

from channel_server.adapters.feed import Feed
from channel_server.adapters.pauses import Pauses
from channel_server.adapters.subscription import Subscription
from tests.unit.engine.doubles import Clock


class Commands:
    """Sends everything, and answers nothing."""

    def __init__(self):
        self.connected = []
        self.moved = []

    def send(self, command, *answers):
        del command, answers
        return True


@pytest.fixture
def clock():
    return Clock()


@pytest_asyncio.fixture
async def feed(clock):
    feed = Feed(
        "redis://nowhere",
        [],
        lambda *_: 0,
        commands=Commands(),
        node="a",
        is_up=lambda _: None,
        probe_s=600,
        pauses=Pauses(lambda: 0.0),
        clock=clock,
    )
    feed._stands(Subscription([], lambda *_: 0, ()))
    return feed


@pytest.mark.asyncio
async def test_a_message_that_comes_slowly_is_heard_and_one_that_stands_still_is_not(feed, clock):
    """Found in review: half a message of a Redis that had died kept the server ready for ever."""
    clock.advance(10_000)
    assert "does not answer" in feed.complaint
    line = feed._line
    line.data_received(b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1000\r\nabc")
    assert feed.complaint == ""

    line.spoke_at_s -= 10_000
    assert "does not answer" in feed.complaint


def test_a_probe_is_remembered_for_as_long_as_it_may_take(feed, clock):
    """Found in review: a node that records asks twice a second, and 64 were kept."""
    feed.probe()
    first = feed._probes[b"1"]
    for _ in range(600):
        clock.advance(0.5)
        feed.probe()

    feed._heard_probe(b"1")

    assert first.is_heard


def test_probes_that_nobody_hears_are_forgotten(feed, clock):
    for _ in range(3_000):
        clock.advance(0.5)
        feed.probe()

    assert len(feed._probes) <= 1_201
