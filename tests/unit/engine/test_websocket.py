"""Frames in, frames out; the other end is the client half of ``websockets``."""

import pytest

from channel_server.core.frames import text_frame
from channel_server.core.packets import text_packet
from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.session import Session
from channel_server.engine.websocket import WebSocket
from tests.unit.engine.doubles import Browser, Line, NoCrowd, Wire, until

LIMIT = 1_000


@pytest.fixture
def engine():
    engine = Engine(options=Options(write_limit=LIMIT, max_payload=100))
    engine.newcomers = NoCrowd()
    return engine


@pytest.fixture
def browser():
    return Browser()


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def session(engine, wire):
    """A session on a WebSocket."""
    session = Session(engine, "s1", "")
    socket = WebSocket(engine, session, is_probe=False)
    session.open_socket(socket)
    engine.opened(session)
    engine.doors.attach()
    socket.connection_made(wire)
    return session


@pytest.fixture
def socket(session):
    return session.socket


@pytest.fixture
def probe(engine, wire, open_polling):
    """A socket that wants to take over a polling session."""
    probe = WebSocket(engine, open_polling(), is_probe=True)
    engine.doors.attach()
    engine.doors.probing(probe)
    probe.connection_made(wire)
    return probe


def messages(handlers):
    return [data for _, data in handlers.heard]


async def settled(handlers):
    """Wait for the end of the session; return what came before it, and why it ended."""
    await handlers.disconnected.wait()
    *before, reason = messages(handlers)
    return before, reason


# ── what a client sends ─────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
async def test_text_and_binary_messages_are_handed_on(socket, browser, handlers):
    socket.data_received(browser.text("4hello \u20ac") + browser.binary(b"\x00\xff"))

    await until(lambda: len(handlers.heard) == 2)

    assert messages(handlers) == ["hello \u20ac", b"\x00\xff"]


@pytest.mark.asyncio
async def test_frames_may_come_byte_by_byte(socket, browser, handlers):
    for byte in browser.text("4hello"):
        socket.data_received(bytes((byte,)))

    await until(lambda: handlers.heard)

    assert messages(handlers) == ["hello"]


@pytest.mark.asyncio
async def test_fragments_are_joined(socket, browser, handlers):
    """Even in the middle of a character, and with a ping in between (RFC 6455, 5.4)."""
    euro = "\u20ac".encode()
    whole = b"4" + euro + b"b"
    first = Browser()
    first._protocol.send_text(whole[:2], fin=False)
    data = b"".join(first._protocol.data_to_send())
    data += first.ping(b"") + first.more(whole[2:], fin=False) + first.more(b"c", fin=True)

    socket.data_received(data + browser.binary(b"x", fin=False) + browser.more(b"y", fin=True))
    await until(lambda: len(handlers.heard) == 2)

    assert messages(handlers) == ["\u20acbc", b"xy"]


def test_ping_frame_is_answered(socket, browser, wire):
    socket.data_received(browser.ping(b"abc"))

    assert browser.frames(wire.take()) == [("PONG", b"abc")]


@pytest.mark.asyncio
async def test_closing_ends_the_session_after_the_messages_before_it(
    socket, browser, wire, handlers
):
    socket.data_received(browser.text("4last words") + browser.close())

    assert await settled(handlers) == (["last words"], "transport close")
    assert wire.is_closed
    assert browser.frames(wire.take()) == [("CLOSE", b"\x03\xe8")]


@pytest.mark.asyncio
async def test_a_client_that_has_closed_is_not_heard(socket, browser, handlers):
    socket.data_received(browser.close())
    socket.data_received(Browser().text("4more"))

    assert await settled(handlers) == ([], "transport close")


@pytest.mark.asyncio
async def test_what_comes_while_the_client_reads_our_last_word_is_thrown_away(
    socket, browser, wire, handlers
):
    """A connection that is closed with input unread is reset, and the last word is lost."""
    socket.data_received(browser.text("4" * 101))
    assert await settled(handlers) == ([], "parse error")

    socket.data_received(Browser().text("4more"))

    assert messages(handlers) == ["parse error"]
    assert wire.is_shut
    assert not wire.is_closed


@pytest.mark.parametrize(
    "breach",
    [
        pytest.param((b"\x81\x0142", 1002), id="not masked"),
        pytest.param((b"\xff\x80\x00\x00\x00\x00", 1002), id="reserved bits"),
        pytest.param((b"\x83\x80\x00\x00\x00\x00", 1002), id="unknown opcode"),
        pytest.param((b"\x80\x80\x00\x00\x00\x00", 1002), id="continuation of nothing"),
        pytest.param((Browser().text("4" * 101), 1009), id="too long"),
        pytest.param((Browser().text("x"), 1008), id="unknown packet"),
        pytest.param((Browser().text(""), 1008), id="empty packet"),
        pytest.param((Browser().text("2"), 1008), id="ping from a client"),
    ],
)
@pytest.mark.asyncio
async def test_what_the_protocols_forbid_closes_the_session(
    socket, browser, wire, handlers, breach
):
    data, code = breach

    socket.data_received(data)

    assert await settled(handlers) == ([], "parse error")
    browser.frames(wire.take())
    assert browser.close_code == code
    assert wire.is_shut


@pytest.mark.asyncio
async def test_text_that_is_not_utf_8_closes_the_session(socket, browser, wire, handlers):
    browser._protocol.send_text(b"4\xff")

    socket.data_received(b"".join(browser._protocol.data_to_send()))

    assert await settled(handlers) == ([], "parse error")
    browser.frames(wire.take())
    assert browser.close_code == 1007


@pytest.mark.asyncio
async def test_fragments_together_must_not_be_too_long_either(socket, browser, wire, handlers):
    data = browser.text("4" * 60, fin=False) + browser.more(b"4" * 60, fin=True)

    socket.data_received(data)

    assert await settled(handlers) == ([], "parse error")
    browser.frames(wire.take())
    assert browser.close_code == 1009


@pytest.mark.parametrize(("error", "reason"), [(None, "close"), (OSError("reset"), "error")])
def test_lost_connection_ends_the_session(engine, socket, session, error, reason):
    socket.connection_lost(error)

    assert not session.is_open
    assert engine.hang_ups == {f"transport {reason}": 1}
    assert engine.doors.socket_count == 0


def test_a_probe_that_says_too_much_is_not_heard_again(engine, probe, browser, wire):
    """Nothing of it is left for a later message to be joined to, or taken for."""
    many = engine.options.max_packets_per_s

    probe.data_received(browser.ping(b"") * many + browser.text("4", fin=False))
    probe.data_received(Browser().text("2probe"))

    assert wire.is_aborted
    assert engine.hang_ups == {"flood": 1}
    assert "TEXT" not in dict(Browser().frames(wire.take()))


# ── what we send ────────────────────────────────────────────────────────────────────────────


def test_frame_is_written_as_it_is(session, wire):
    packet = text_packet(b"4hello")

    session.write(packet)

    assert wire.take() == packet.frame


def test_closing_says_so_and_lets_the_client_read_to_the_end(session, browser, wire):
    session.close("server disconnect")

    assert browser.frames(wire.take()) == [("CLOSE", b"\x03\xe8")]
    assert wire.is_shut
    assert not wire.is_aborted


def test_hanging_up_aborts(session, wire):
    session.hang_up("slow")

    assert wire.is_aborted
    assert wire.take() == b""


def test_lost_connection_ignores_what_comes_later(socket, session, wire):
    """The fan-out may hold a client for the rest of its turn."""
    socket.connection_lost(None)

    socket.write(text_frame(b"4a"))
    socket.close(abort=False)
    socket.close(abort=True)
    socket.pause_writing()
    socket.resume_writing()
    socket.connection_lost(None)

    assert wire.take() == b""
    assert not session.is_open


def test_bytes_after_the_end_are_ignored(socket, browser, wire):
    socket.connection_lost(None)

    socket.data_received(browser.close())

    assert wire.take() == b""


# ── clients that do not read ────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("session")
def test_transport_tells_us_when_the_limit_is_passed(wire):
    assert wire.high_water == LIMIT
    assert wire.low_water == LIMIT  # below the limit a client is not slow any more


def test_client_over_the_limit_is_slow_until_it_has_caught_up(engine, socket, wire):
    wire.unread_bytes = LIMIT + 1
    socket.pause_writing()
    assert len(engine.slow) == 1

    socket.resume_writing()
    assert len(engine.slow) == 0


def test_slow_client_over_the_ceiling_is_hung_up_by_the_write_that_passes_it(
    engine, session, wire
):
    wire.unread_bytes = LIMIT + 1
    session.socket.pause_writing()
    wire.unread_bytes = 8 * LIMIT + 1

    session.write(text_packet(b"4a"))

    assert wire.is_aborted
    assert engine.hang_ups == {"slow": 1}


def test_one_message_over_the_ceiling_makes_a_client_slow_and_no_more(engine, session, wire):
    """Else a large message could be delivered to nobody."""
    wire.unread_bytes = 8 * LIMIT + 1
    session.socket.pause_writing()

    assert session.is_open
    assert len(engine.slow) == 1


def test_fast_client_is_not_measured(engine, session, wire):
    """Asking the transport at every write costs time, and a burst proves nothing."""
    wire.unread_bytes = 8 * LIMIT + 1

    session.write(text_packet(b"4a"))

    assert session.is_open
    assert len(engine.slow) == 0


# ── upgrade ─────────────────────────────────────────────────────────────────────────────────


def test_probe_is_answered_and_then_takes_over(engine, probe, browser, wire):
    session = engine.sessions["s1"]
    session.write(text_packet(b"4waiting"))

    probe.data_received(browser.text("2probe"))
    assert browser.frames(wire.take()) == [("TEXT", b"3probe")]
    assert session.transport == "polling"

    probe.data_received(browser.text("5"))
    assert session.transport == "websocket"
    assert browser.frames(wire.take()) == [("TEXT", b"4waiting")]


@pytest.mark.asyncio
async def test_messages_may_follow_the_upgrade_at_once(probe, browser, handlers):
    probe.data_received(browser.text("2probe") + browser.text("5") + browser.text("4hello"))

    await until(lambda: handlers.heard)

    assert messages(handlers) == ["hello"]


@pytest.mark.parametrize("text", ["4hello", "2", "2other", "5", "3probe", "x", ""])
def test_what_is_no_probe_closes_the_socket_and_leaves_the_session_on_polling(
    engine, probe, browser, wire, text
):
    probe.data_received(browser.text(text))
    browser.frames(wire.take())
    probe.connection_lost(None)

    assert browser.close_code == 1008
    assert wire.is_shut
    assert engine.sessions["s1"].transport == "polling"
    assert engine.sessions["s1"].is_open


def test_upgrade_by_another_socket_than_the_probe_is_refused(engine, probe, browser, wire):
    """Else a second socket could take a session over without having been answered."""
    engine.sessions["s1"].probe = object()

    probe.data_received(browser.text("5"))

    assert wire.is_shut
    assert engine.sessions["s1"].transport == "polling"


def test_binary_is_no_probe(engine, probe, browser, wire):
    probe.data_received(browser.binary(b"2probe"))

    assert wire.is_shut
    assert engine.sessions["s1"].is_open


def test_probe_that_is_lost_leaves_the_session_on_polling(engine, probe, browser):
    session = engine.sessions["s1"]
    probe.data_received(browser.text("2probe"))
    assert session.probe is probe

    probe.connection_lost(None)
    line = Line()
    session.polling.poll(line)
    session.write(text_packet(b"4a"))

    assert session.probe is None
    assert line.answer.body == b"4a"


def test_probe_of_a_session_that_is_gone_gets_its_answer_and_no_more(engine, probe, browser, wire):
    engine.sessions["s1"].close("server disconnect")

    probe.data_received(browser.text("2probe") + browser.text("5"))

    assert wire.is_shut
    assert engine.sessions == {}
