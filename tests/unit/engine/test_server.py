"""The engine: owner of all sessions, and what python-socketio takes for its Engine.IO server."""

import asyncio

import pytest
from engineio.packet import MESSAGE as EIO_MESSAGE
from engineio.packet import Packet

from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.session import Session
from channel_server.errors import MalformedPacket
from tests.unit.engine.doubles import Line, until

pytestmark = pytest.mark.asyncio


def poll(session):
    """Take what waits for a session."""
    line = Line()
    session.polling.poll(line)
    return line.answer.body


# ── what python-socketio asks for ───────────────────────────────────────────────────────────


async def test_text_and_bytes_are_sent_as_messages(engine, open_polling):
    session = open_polling()

    await engine.send("s1", "hello \u20ac")
    await engine.send_packet("s1", Packet(EIO_MESSAGE, b"\x01\x02"))

    assert poll(session) == "4hello \u20ac\x1ebAQI=".encode()


async def test_unknown_session_is_ignored(engine):
    """It may have closed while its handler was awaiting something."""
    await engine.send("s1", "hello")
    await engine.send_packet("s1", Packet(EIO_MESSAGE, "hello"))
    await engine.disconnect("s1")


async def test_session_is_disconnected_so_that_the_client_returns(engine, open_polling):
    session = open_polling()

    await engine.disconnect("s1")

    assert not session.is_open
    assert engine.hang_ups == {"server disconnect": 1}


async def test_transport_is_named(engine, open_polling):
    open_polling()

    assert engine.transport("s1") == "polling"


async def test_ids_are_fresh_and_cannot_be_guessed(engine):
    ids = {engine.generate_id() for _ in range(1_000)}

    assert len(ids) == 1_000
    assert {len(sid) for sid in ids} == {20}


async def test_what_stock_servers_accept_as_options_is_ignored():
    """python-socketio passes ``json`` and ``async_handlers`` on."""
    engine = Engine(options=Options(path="/x/"), json=object(), async_handlers=False)

    assert engine.options.path == "/x/"


# ── messages ────────────────────────────────────────────────────────────────────────────────


async def test_messages_of_a_session_are_handled_one_after_the_other(engine, open_polling, run):
    """A client's CONNECT waits for Redis; what it sends meanwhile must not overtake."""
    session = open_polling()
    handlers = run(engine)
    gate, order = asyncio.Event(), []

    async def slow(_sid, data):
        order.append(f"{data} begins")
        await gate.wait()
        order.append(f"{data} ends")

    engine.on("message", slow)
    await asyncio.sleep(0)
    engine.receive(session, "a")
    engine.receive(session, "b")
    await until(lambda: order == ["a begins"])

    gate.set()
    engine.finish(session, "transport close")
    await handlers.disconnected.wait()

    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_sessions_do_not_wait_for_each_other(engine, open_polling, run):
    run(engine)
    ann, ben = open_polling("ann"), open_polling("ben")
    gate, done = asyncio.Event(), []

    async def handle(sid, _data):
        if sid == "ann":
            await gate.wait()
        done.append(sid)

    engine.on("message", handle)
    await asyncio.sleep(0)
    engine.receive(ann, "x")
    engine.receive(ben, "x")

    await until(lambda: done == ["ben"])
    gate.set()
    await until(lambda: done == ["ben", "ann"])


async def test_inbox_goes_when_it_is_empty(engine, open_polling, handlers):
    """An idle client keeps no task and no queue."""
    session = open_polling()

    engine.receive(session, "a")
    await until(lambda: session.inbox is None)
    engine.receive(session, "b")
    await until(lambda: session.inbox is None)

    assert handlers.heard == [("s1", "a"), ("s1", "b")]


async def test_client_that_sends_faster_than_it_is_served_is_hung_up(run):
    engine = Engine(options=Options(max_payload=10))
    session = Session(engine, "s1", "")
    session.open_polling()
    engine.opened(session)
    handlers = run(engine)
    await asyncio.sleep(0)

    for _ in range(3):
        engine.receive(session, "x" * 10)
    await handlers.disconnected.wait()

    assert handlers.heard == [("s1", "flood")]


async def test_end_that_does_not_fit_hangs_up_at_once(engine, open_polling, handlers):
    session = open_polling()
    for _ in range(10_000):
        engine.receive(session, "")

    engine.finish(session, "transport close")
    await handlers.disconnected.wait()

    assert handlers.heard == [("s1", "flood")]


async def test_end_without_messages_is_at_once(engine, open_polling, handlers):
    session = open_polling()

    engine.finish(session, "transport close")

    assert not session.is_open
    await handlers.disconnected.wait()


async def test_no_message_is_handled_after_the_end(engine, open_polling, handlers):
    session = open_polling()
    engine.receive(session, "a")
    session.close("server disconnect")
    engine.receive(session, "b")

    await handlers.disconnected.wait()
    await until(lambda: session.inbox is None)

    assert handlers.heard == [("s1", "server disconnect")]


@pytest.mark.parametrize("error", [MalformedPacket("no packet"), RecursionError()])
async def test_client_that_breaks_the_protocol_is_closed(engine, open_polling, run, error):
    session, handlers = open_polling(), run(engine)

    async def refuse(_sid, _data):
        raise error

    engine.on("message", refuse)
    await asyncio.sleep(0)
    engine.receive(session, "a")
    engine.receive(session, "b")
    await handlers.disconnected.wait()

    assert handlers.heard == [("s1", "parse error")]


async def test_our_bug_costs_one_client_and_is_logged(engine, open_polling, run, caplog):
    ann, ben = open_polling("ann"), open_polling("ben")
    handlers = run(engine)

    async def fail(sid, data):
        if sid == "ann":
            raise LookupError("ours")
        handlers.heard.append((sid, data))

    engine.on("message", fail)
    await asyncio.sleep(0)
    engine.receive(ann, "secret")
    await handlers.disconnected.wait()
    engine.receive(ben, "b")
    await until(lambda: ("ben", "b") in handlers.heard)

    assert handlers.heard == [("ann", "server error"), ("ben", "b")]
    (record,) = caplog.records
    assert record.levelname == "ERROR"
    assert "secret" not in caplog.text


# ── the end of sessions ─────────────────────────────────────────────────────────────────────


async def test_departed_is_told_before_the_disconnect_handler(engine, open_polling, run):
    """The fan-out forgets a client before anybody hears of it."""
    session, order, handlers = open_polling(), [], run(engine)
    engine.departed = lambda session: order.append(session.sid)

    session.close("server disconnect")
    await handlers.disconnected.wait()

    assert order == ["s1"]
    assert handlers.heard == [("s1", "server disconnect")]


async def test_many_that_leave_at_once_are_cleaned_up_in_slices(engine, open_polling, run):
    """4,000 clients dropped in one go once froze the loop for seconds."""
    handlers = run(engine)
    await asyncio.sleep(0)
    sessions = [open_polling(f"s{number}") for number in range(120)]
    for session in sessions:
        session.close("server disconnect")

    await until(lambda: handlers.heard)
    assert 0 < len(handlers.heard) < 120

    await until(lambda: len(handlers.heard) == 120)
    assert engine.sessions == {}


async def test_hang_up_all_closes_every_session_and_every_connection(engine, open_polling):
    ann, ben, front = open_polling("ann"), open_polling("ben"), Line()
    engine.doors.enter(front)

    engine.hang_up_all("drain")

    assert not ann.is_open
    assert not ben.is_open
    assert front.is_dropped
    assert engine.hang_ups == {"drain": 2}


# ── time ────────────────────────────────────────────────────────────────────────────────────


async def ended(engine, handlers):
    """Wait for the only session to end; return why."""
    async with asyncio.timeout(5):
        await handlers.disconnected.wait()
    (reason,) = engine.hang_ups
    return reason


async def test_session_that_is_never_confirmed_is_closed(run):
    """Engine.IO opens for everybody; who then asks for nothing holds a place for nothing."""
    engine = Engine(options=Options(connect_timeout_s=0.02))
    session = Session(engine, "s1", "")
    session.open_polling()
    engine.opened(session)

    assert await ended(engine, run(engine)) == "connect timeout"


async def test_confirmed_session_may_stay(run):
    """The other session shows that the time has passed."""
    engine = Engine(options=Options(connect_timeout_s=0.02))
    confirmed, other = Session(engine, "s1", ""), Session(engine, "s2", "")
    for session in (confirmed, other):
        session.open_polling()
        engine.opened(session)
    engine.confirm(confirmed)

    assert await ended(engine, run(engine)) == "connect timeout"
    assert confirmed.is_open
    assert not other.is_open


async def test_without_a_connect_time_out_nobody_is_watched(engine):
    engine = Engine(options=Options(connect_timeout_s=None))
    session = Session(engine, "s1", "")
    session.open_polling()

    engine.opened(session)

    assert len(engine._unconfirmed) == 0


async def test_silent_sessions_are_pinged_and_then_hung_up(run):
    """More than one slice of them, so that the round has to pause in between."""
    options = Options(connect_timeout_s=None, ping_interval_s=0.02, ping_timeout_s=0.02)
    engine = Engine(options=options)
    lines = []
    for number in range(60):
        session = Session(engine, f"s{number}", "")
        session.open_polling()
        engine.opened(session)
        lines.append(Line())
        session.polling.poll(lines[-1])

    run(engine)
    await until(lambda: not engine.sessions)

    assert {line.answer.body for line in lines} == {b"2"}
    assert engine.hang_ups == {"ping timeout": 60}


async def test_silent_connections_and_slow_clients_are_dropped_by_the_same_clock(run):
    options = Options(connect_timeout_s=0.02, write_limit=10, write_timeout_s=0.02)
    engine = Engine(options=options)
    session, front = Session(engine, "s1", ""), Line()
    session.open_polling()
    engine.opened(session)
    engine.confirm(session)
    engine.slow.watch(session, 11)
    engine.doors.enter(front)

    assert await ended(engine, run(engine)) == "slow"
    await until(lambda: front.is_dropped)


async def test_closed_session_is_forgotten_everywhere(engine, open_polling):
    session = open_polling()
    engine.slow.watch(session, engine.options.write_limit + 1)

    session.close("server disconnect")

    assert engine.sessions == {}
    assert len(engine.slow) == 0
    assert session not in engine._unconfirmed
    assert session not in engine.heartbeat._pings
    assert session not in engine.heartbeat._pongs


async def test_client_that_goes_during_its_look_up_leaves_nothing_behind(
    engine, open_polling, run
):
    """Found in review: with Redis away, 150 of them kept 400 MB for as long as the look-up."""
    session, handlers = open_polling(), run(engine)
    began, stopped = asyncio.Event(), asyncio.Event()

    async def look_up(_sid, _data):
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    engine.on("message", look_up)
    await asyncio.sleep(0)
    engine.receive(session, "40")
    await began.wait()
    engine.receive(session, "x" * 900_000)

    session.close("transport close")

    assert session.inbox is None
    await stopped.wait()
    await handlers.disconnected.wait()


async def test_goodbye_during_a_look_up_is_honoured_at_once(engine, open_polling, run):
    session, _ = open_polling(), run(engine)
    began = asyncio.Event()

    async def look_up(_sid, _data):
        began.set()
        await asyncio.Event().wait()

    engine.on("message", look_up)
    await asyncio.sleep(0)
    engine.receive(session, "40")
    await began.wait()

    engine.finish(session, "client disconnect")

    assert not session.is_open
