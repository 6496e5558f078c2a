"""The server pings, the client pongs (Engine.IO protocol 4, "Heartbeat")."""

from dataclasses import dataclass, field

import pytest

from channel_server.engine.heartbeat import Heartbeat

INTERVAL_S = 25.0
TIMEOUT_S = 20.0


@dataclass(eq=False)
class Client:
    """A session that keeps what it is told."""

    is_open: bool = True
    texts: list[bytes] = field(default_factory=list)
    goodbye: str | None = None

    def ping(self):
        self.texts.append(b"2")

    def hang_up(self, reason):
        self.goodbye = reason


@pytest.fixture
def heartbeat(clock):
    return Heartbeat(INTERVAL_S, TIMEOUT_S, clock)


@pytest.fixture
def ann(heartbeat):
    client = Client()
    heartbeat.start(client)
    return client


def beat(heartbeat, tolerance_s=0.0):
    """One round; return how many sessions it was about."""
    return len(list(heartbeat.beat(tolerance_s)))


def test_ping_is_due_after_the_interval(heartbeat, ann, clock):
    clock.advance(INTERVAL_S - 0.1)
    assert beat(heartbeat) == 0

    clock.advance(0.1)
    assert beat(heartbeat) == 1
    assert ann.texts == [b"2"]


def test_client_that_pongs_is_pinged_again_an_interval_after_its_pong(heartbeat, ann, clock):
    clock.advance(INTERVAL_S)
    beat(heartbeat)
    clock.advance(5)
    heartbeat.pong(ann)

    clock.advance(INTERVAL_S - 0.1)
    assert beat(heartbeat) == 0
    clock.advance(0.1)
    assert beat(heartbeat) == 1

    assert ann.texts == [b"2", b"2"]
    assert ann.goodbye is None


def test_client_without_a_pong_is_hung_up(heartbeat, ann, clock):
    clock.advance(INTERVAL_S)
    beat(heartbeat)

    clock.advance(TIMEOUT_S - 0.1)
    beat(heartbeat)
    assert ann.goodbye is None

    clock.advance(0.1)
    beat(heartbeat)
    assert ann.goodbye == "ping timeout"


def test_pong_that_no_ping_asked_for_changes_nothing(heartbeat, ann, clock):
    """Else a client could put off its ping for ever."""
    clock.advance(INTERVAL_S - 1)
    heartbeat.pong(ann)
    clock.advance(1)

    beat(heartbeat)

    assert ann.texts == [b"2"]


def test_pong_of_a_session_that_was_stopped_does_not_bring_it_back(heartbeat, ann, clock):
    heartbeat.stop(ann)
    heartbeat.pong(ann)

    clock.advance(INTERVAL_S + TIMEOUT_S)

    assert beat(heartbeat) == 0


def test_stopped_session_is_neither_pinged_nor_hung_up(heartbeat, ann, clock):
    clock.advance(INTERVAL_S)
    beat(heartbeat)
    heartbeat.stop(ann)

    clock.advance(TIMEOUT_S)

    assert beat(heartbeat) == 0
    assert ann.goodbye is None


def test_session_that_closes_while_others_are_pinged_gets_none(heartbeat, ann, clock):
    """The round is cut into slices; a session may be gone when its turn comes."""
    ben = Client()
    heartbeat.start(ben)
    clock.advance(INTERVAL_S)
    round_ = heartbeat.beat(0.0)
    next(round_)
    ben.is_open = False

    assert len(list(round_)) == 1

    assert ann.texts == [b"2"]
    assert ben.texts == []
    clock.advance(TIMEOUT_S)
    list(heartbeat.beat(0.0))
    assert ben.goodbye is None


def test_tolerance_pings_and_hangs_up_early(heartbeat, ann, clock):
    clock.advance(INTERVAL_S - 1)
    beat(heartbeat, tolerance_s=1.0)
    assert ann.texts == [b"2"]

    clock.advance(TIMEOUT_S - 1)
    beat(heartbeat, tolerance_s=1.0)
    assert ann.goodbye == "ping timeout"


def test_session_is_overdue_as_soon_as_its_pong_is_late(heartbeat, ann, clock):
    """A poll may come in before the tick that would have hung up."""
    clock.advance(INTERVAL_S)
    beat(heartbeat)

    clock.advance(TIMEOUT_S)
    assert not heartbeat.is_overdue(ann)
    clock.advance(0.1)
    assert heartbeat.is_overdue(ann)


def test_session_is_overdue_even_if_its_ping_was_never_sent(heartbeat, ann, clock):
    """The process was stopped for a while: no tick has come."""
    clock.advance(INTERVAL_S + TIMEOUT_S - 0.1)
    assert not heartbeat.is_overdue(ann)

    clock.advance(0.1)
    assert heartbeat.is_overdue(ann)


def test_stranger_is_not_overdue(heartbeat):
    assert not heartbeat.is_overdue(Client())
