"""A session survives the upgrade from polling to a WebSocket, and nothing else."""

import pytest

from channel_server.core.packets import (
    CLOSE,
    MESSAGE,
    NOOP,
    OPEN,
    PING,
    PONG,
    UPGRADE,
    Incoming,
    text_packet,
)
from channel_server.engine.session import Session
from channel_server.errors import MalformedPacket
from tests.unit.engine.doubles import Line


class Socket:
    """A WebSocket that keeps what it is told."""

    def __init__(self):
        self.frames = []
        self.was_aborted = None

    def write(self, frame):
        self.frames.append(frame)

    def close(self, *, abort):
        self.was_aborted = abort


@pytest.fixture
def session(open_polling):
    return open_polling()


@pytest.fixture
def on_socket(engine):
    """A session that began on a WebSocket, and that socket."""
    session, socket = Session(engine, "s2", ""), Socket()
    session.open_socket(socket)
    engine.opened(session)
    return session, socket


def test_session_begins_on_polling_or_on_a_websocket(session, on_socket):
    assert session.transport == "polling"
    assert on_socket[0].transport == "websocket"


def test_all_sessions_get_the_same_ping(engine):
    """Encoded once for the whole process."""
    sockets = Socket(), Socket()
    for socket in sockets:
        session = Session(engine, "s", "")
        session.open_socket(socket)
        session.ping()

    first, second = (socket.frames[0] for socket in sockets)

    assert first == text_packet(b"2").frame
    assert first is second


def test_packet_goes_out_as_a_frame_or_as_an_answer(session, on_socket):
    packet, line = text_packet(b"4a"), Line()
    session.polling.poll(line)

    session.write(packet)
    on_socket[0].write(packet)

    assert line.answer.body == b"4a"
    assert on_socket[1].frames == [packet.frame]


def test_closed_session_ignores_writes(session, on_socket):
    for each in (session, on_socket[0]):
        each.close("server disconnect")

        each.write(text_packet(b"4a"))

        assert not each.is_open
    assert on_socket[1].frames == []


def test_session_closes_once(session, engine):
    session.close("first")
    session.close("second")

    assert engine.hang_ups == {"first": 1}
    assert engine.sessions == {}


def test_closing_is_told_to_the_waiting_poll(session):
    line = Line()
    session.polling.poll(line)

    session.close("server disconnect")

    assert line.answer.body == b"1"


def test_closing_by_the_client_answers_its_poll_with_a_noop(session):
    line = Line()
    session.polling.poll(line)

    session.receive(Incoming(CLOSE, ""))

    assert not session.is_open
    assert line.answer.body == b"6"


def test_hanging_up_aborts_the_socket(on_socket):
    """What was not read is thrown away: the client does not read."""
    session, socket = on_socket

    session.hang_up("slow")

    assert socket.was_aborted
    assert not session.is_open


def test_closing_lets_the_client_read_to_the_end(on_socket):
    session, socket = on_socket

    session.close("server disconnect")

    assert socket.was_aborted is False


def test_ping_from_a_client_is_refused(session):
    """In Engine.IO 4 the server pings; an Engine.IO 3 client would do so."""
    with pytest.raises(MalformedPacket):
        session.receive(Incoming(PING, ""))


@pytest.mark.parametrize("kind", [OPEN, UPGRADE, NOOP, PONG])
def test_what_means_nothing_is_ignored(session, kind):
    session.receive(Incoming(kind, ""))

    assert session.is_open


@pytest.mark.asyncio
async def test_message_is_handed_to_the_engine(session, handlers):
    session.receive(Incoming(MESSAGE, "hello"))
    session.receive(Incoming(CLOSE, ""))

    await handlers.disconnected.wait()

    assert handlers.heard == [("s1", "hello"), ("s1", "client disconnect")]


def test_probe_ends_the_waiting_poll(session):
    line, socket = Line(), Socket()
    session.polling.poll(line)

    session.begin_upgrade(socket)

    assert line.answer.body == b"6"
    assert session.probe is socket
    assert session.transport == "polling"


def test_probe_of_a_closed_session_is_ignored(session):
    session.close("server disconnect")

    session.begin_upgrade(Socket())

    assert session.probe is None


def test_upgrade_sends_what_polling_had_not_fetched_in_order(session):
    socket = Socket()
    session.write(text_packet(b"4a"))
    session.begin_upgrade(socket)
    session.write(text_packet(b"4b"))
    assert socket.frames == []

    session.complete_upgrade(socket)
    session.write(text_packet(b"4c"))

    assert socket.frames == [text_packet(text).frame for text in (b"4a", b"4b", b"4c")]
    assert session.transport == "websocket"
    assert session.polling is None
    assert session.probe is None


def test_abandoned_upgrade_goes_on_polling(session):
    session.begin_upgrade(Socket())

    session.abandon_upgrade()
    session.write(text_packet(b"4a"))
    line = Line()
    session.polling.poll(line)

    assert line.answer.body == b"4a"


def test_closing_during_an_upgrade_closes_the_probe_too(session):
    socket = Socket()
    session.begin_upgrade(socket)

    session.close("server disconnect")

    assert socket.was_aborted is False
    assert session.probe is None


def test_upgrade_without_polling_sends_nothing(engine):
    session, socket = Session(engine, "s3", ""), Socket()

    session.complete_upgrade(socket)

    assert session.socket is socket
    assert socket.frames == []
