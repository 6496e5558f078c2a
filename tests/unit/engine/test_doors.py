"""How many TCP connections there may be, and how long each may do nothing."""

import asyncio
from dataclasses import dataclass

import pytest

from channel_server.engine.doors import Doors
from channel_server.engine.options import Options
from tests.unit.engine.doubles import Line

OPTIONS = Options(
    max_connections=2,
    connect_timeout_s=10.0,
    idle_timeout_s=75.0,
    request_timeout_s=30.0,
    upgrade_timeout_s=12.0,
    write_limit=1_000,
    write_timeout_s=5.0,
)


@dataclass(eq=False)
class Socket:
    was_aborted: bool | None = None

    def close(self, *, abort):
        self.was_aborted = abort


@pytest.fixture
def doors(clock):
    return Doors(OPTIONS, clock)


@pytest.fixture
def front(doors):
    line = Line()
    assert doors.enter(line)
    return line


def test_connection_beyond_the_limit_is_refused_and_counted(doors):
    assert doors.enter(Line())
    assert doors.enter(Line())

    assert not doors.enter(Line())
    assert doors.refused == {"too many connections": 1}


def test_websockets_count_too(doors, front):
    doors.attach()
    doors.leave(front)
    doors.enter(Line())

    assert not doors.enter(Line())


def test_connection_that_is_gone_makes_room(doors, front):
    doors.enter(Line())
    doors.leave(front)

    assert doors.enter(Line())


def test_refused_connection_that_goes_away_frees_no_room(doors, front):
    doors.enter(Line())
    refused = Line()
    doors.enter(refused)

    doors.leave(refused)

    assert not doors.enter(Line())
    assert front in doors.fronts


def test_connection_that_says_nothing_is_dropped(doors, front, clock):
    clock.advance(9.9)
    doors.expire()
    assert not front.is_dropped

    clock.advance(0.1)
    doors.expire()
    assert front.is_dropped


def test_connection_with_a_request_has_all_the_time_it_needs(doors, front, clock):
    """A waiting poll takes as long as it takes; the heartbeat watches its session."""
    doors.busy(front)
    clock.advance(10_000)

    doors.expire()

    assert not front.is_dropped


def test_idle_connection_is_dropped(doors, front, clock):
    doors.busy(front)
    doors.idle(front)

    clock.advance(74.9)
    doors.expire()
    assert not front.is_dropped

    clock.advance(0.1)
    doors.expire()
    assert front.is_dropped


def test_next_request_ends_idleness(doors, front, clock):
    doors.busy(front)
    doors.idle(front)
    clock.advance(70)
    doors.busy(front)
    clock.advance(70)

    doors.expire()

    assert not front.is_dropped


def test_body_that_does_not_end_is_dropped(doors, front, clock):
    doors.busy(front)
    doors.reading(front)
    clock.advance(30)

    doors.expire()

    assert front.is_dropped


def test_body_that_has_come_is_not_watched_any_more(doors, front, clock):
    doors.busy(front)
    doors.reading(front)
    doors.read(front)
    clock.advance(30)

    doors.expire()

    assert not front.is_dropped


def test_client_that_does_not_read_its_answer_is_dropped(doors, front, clock):
    """An answer to a poll may be megabytes, and nothing is written to it afterwards."""
    doors.busy(front)
    doors.overfull(front)
    front.unread_bytes = 1_001

    clock.advance(4.9)
    doors.expire()
    assert not front.is_dropped

    clock.advance(0.1)
    doors.expire()
    assert front.is_dropped


def test_client_that_has_read_its_answer_meanwhile_may_stay(doors, front, clock):
    doors.busy(front)
    doors.overfull(front)
    front.unread_bytes = 1_000
    clock.advance(5)

    doors.expire()

    assert not front.is_dropped


@pytest.mark.parametrize("state", ["silent", "idle", "reading", "overfull"])
def test_connection_that_is_gone_is_not_dropped_later(doors, front, clock, state):
    if state != "silent":
        doors.busy(front)
        getattr(doors, state)(front)
    front.unread_bytes = 10_000
    doors.leave(front)
    clock.advance(10_000)

    doors.expire()

    assert not front.is_dropped


def test_probe_that_does_not_upgrade_is_aborted(doors, clock):
    socket = Socket()
    doors.attach()
    doors.probing(socket)

    clock.advance(11.9)
    doors.expire()
    assert socket.was_aborted is None

    clock.advance(0.1)
    doors.expire()
    assert socket.was_aborted


def test_probe_that_has_upgraded_may_stay(doors, clock):
    socket = Socket()
    doors.attach()
    doors.probing(socket)
    doors.proven(socket)
    clock.advance(100)

    doors.expire()

    assert socket.was_aborted is None


def test_client_that_does_not_read_its_close_frame_is_aborted(doors, clock):
    socket = Socket()
    doors.attach()
    doors.closing(socket)
    clock.advance(5)

    doors.expire()

    assert socket.was_aborted


def test_socket_that_is_gone_is_not_aborted_later(doors, clock):
    probe, closing = Socket(), Socket()
    for socket, note in ((probe, doors.probing), (closing, doors.closing)):
        doors.attach()
        note(socket)
        doors.detach(socket)
    clock.advance(100)

    doors.expire()

    assert doors.socket_count == 0
    assert (probe.was_aborted, closing.was_aborted) == (None, None)


def test_without_a_connect_time_out_silence_is_allowed(clock):
    doors = Doors(Options(connect_timeout_s=None), clock)
    front = Line()
    doors.enter(front)
    clock.advance(10**6)

    doors.expire()

    assert not front.is_dropped


def test_close_all_drops_every_http_connection(doors, front):
    other = Line()
    doors.enter(other)

    doors.close_all()

    assert front.is_dropped
    assert other.is_dropped


@pytest.mark.asyncio
async def test_empty_waits_for_the_last_connection_of_either_kind(doors, front):
    socket = Socket()
    doors.attach()
    waiting = asyncio.get_running_loop().create_task(doors.empty())

    doors.leave(front)
    await asyncio.sleep(0)
    assert not waiting.done()

    doors.detach(socket)
    await waiting


@pytest.mark.asyncio
async def test_doors_without_connections_are_empty_at_once(doors):
    await doors.empty()
