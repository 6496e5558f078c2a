"""The engine: owner of all sessions, and what python-socketio takes for its Engine.IO server."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.core.packets import binary_packet, text_packet
from channel_server.engine.addresses import Addresses
from channel_server.engine.deadlines import Deadlines
from channel_server.engine.doors import Doors
from channel_server.engine.endpoint import Endpoint
from channel_server.engine.heartbeat import Heartbeat
from channel_server.engine.http import Replies
from channel_server.engine.inbox import Ending, Inbox
from channel_server.engine.options import Options
from channel_server.engine.slow import SlowClients
from channel_server.engine.talkers import Talkers
from channel_server.engine.turns import Turns
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_server.core.packets import Outgoing
    from channel_server.engine.session import Session

log = logging.getLogger(__name__)

_SLICE: Final = 50
"""Sessions that are cleaned up, or pinged, before other work gets a turn."""

_MESSAGES_PER_TURN: Final = 500
"""Messages of one client that are handled before other work gets a turn: about 5 ms."""

_MAX_TICK_S: Final = 1.0
_TICKS_PER_TIMEOUT: Final = 20


class Engine:
    """Sessions by id, their limits, and the way to the handlers above.

    python-socketio constructs it (``_engineio_server_class``) and uses ``on``, ``async_mode``,
    ``generate_id``, ``send``, ``send_packet``, ``disconnect`` and ``transport``;
    ``tests/unit/engine/test_engine_shape.py`` fails when it begins to use more.

    Invariants:

    - ``sessions`` holds exactly the open sessions;
    - the handlers of one session run one at a time, in the order of its messages;
    - a session's ``disconnect`` handler runs once; no ``message`` handler begins after it.

    Attributes:
        is_ready: False answers every request with 503.
        is_draining: True answers requests for new sessions with 503.
        hang_ups: How many sessions ended, by reason.
        departed: Called with each closed session, in the clean-up; must not raise.
        newcomers: Turns in which the first words of a connection are read. When 2,000 clients
            return at once, to serve them in one go stops everybody else for 0.5 s; those that
            are here already wait for nobody.
    """

    async_mode = "asgi"

    def __init__(self, *, options: Options | None = None, **_: object) -> None:
        self.options = options or Options()
        self.sessions: dict[str, Session] = {}
        self.is_ready = True
        self.is_draining = False
        self.hang_ups: Counter[str] = Counter()
        self.departed: Callable[[Session], None] = lambda _: None
        self.replies = Replies(self.options.cors)
        self.endpoint = Endpoint(self)
        clock = time.monotonic
        self.heartbeat = Heartbeat(
            self.options.ping_interval_s, self.options.ping_timeout_s, clock
        )
        self.slow = SlowClients(self.options, clock)
        self.talkers = Talkers(self.options.max_packets_per_s, clock)
        self.doors = Doors(self.options, clock)
        self.addresses = Addresses(self.options, clock)
        self._unconfirmed: Deadlines[Session] = Deadlines(
            self.options.connect_timeout_s or float("inf"), clock
        )
        self._handlers: dict[str, Callable[..., Awaitable[Any]]] = {}
        self._leaving: deque[tuple[Session, str]] = deque()
        self._is_anyone_leaving = asyncio.Event()
        self._workers: asyncio.TaskGroup | None = None
        self.newcomers = Turns()
        self._connects = Turns()

    # ── what python-socketio asks for ───────────────────────────────────────────────────────

    def on(self, event: str, handler: Callable[..., Awaitable[Any]]) -> None:
        """Set the handler of ``message`` (sid, data) or ``disconnect`` (sid, reason).

        ``connect`` is accepted and never called: a session is nothing to Socket.IO before its
        first message.
        """
        self._handlers[event] = handler

    def generate_id(self) -> str:
        """Return a fresh id of 20 characters."""
        return secrets.token_urlsafe(15)

    async def send(self, sid: str, data: str | bytes) -> None:
        """Send one message; an unknown session ignores it."""
        session = self.sessions.get(sid)
        if session is not None:
            session.write(_message(data))

    async def send_packet(self, sid: str, pkt: Any) -> None:
        """Send one message that python-engineio has wrapped (``pkt.data``)."""
        await self.send(sid, pkt.data)

    async def disconnect(self, sid: str) -> None:
        """Close one session; the client reconnects."""
        session = self.sessions.get(sid)
        if session is not None:
            session.close("server disconnect")

    def transport(self, sid: str) -> str:
        """Name the transport of a session."""
        return self.sessions[sid].transport

    # ── sessions ────────────────────────────────────────────────────────────────────────────

    def opened(self, session: Session) -> None:
        """A session begins."""
        self.sessions[session.sid] = session
        self.heartbeat.start(session)
        if self.options.connect_timeout_s is not None:
            self._unconfirmed.start(session)

    def confirm(self, session: Session) -> None:
        """The client has asked for what it came for; it may stay."""
        self._unconfirmed.stop(session)

    def receive(self, session: Session, data: str | bytes) -> None:
        """Hand a message to its handler, after those before it; a closed session ignores it."""
        if not session.is_open:
            return
        if session.inbox is None:
            session.inbox = Inbox(2 * self.options.max_payload)
            assert self._workers is not None, "Engine.run is not running"
            work = self._work(session, session.inbox)
            session.inbox.worker = self._workers.create_task(work, name="session")
        if not session.inbox.push(data):
            session.hang_up("flood")

    def finish(self, session: Session, reason: str) -> None:
        """Close a session when the messages it has sent so far have been handled."""
        if session.inbox is None or session.inbox.is_empty:
            session.close(reason)
        elif not session.inbox.push(Ending(reason)):
            session.hang_up("flood")

    def closed(self, session: Session, reason: str) -> None:
        """A session has ended; what it leaves behind is cleaned up in slices."""
        del self.sessions[session.sid]
        self.heartbeat.stop(session)
        self.slow.forget(session)
        self.talkers.forget(session)
        self._unconfirmed.stop(session)
        if session.inbox is not None:
            session.inbox.abandon()
            session.inbox = None
        if session.address is not None:
            self.addresses.leave(session.address)
        self.hang_ups[reason] += 1
        self._leaving.append((session, reason))
        self._is_anyone_leaving.set()

    async def _work(self, session: Session, inbox: Inbox) -> None:
        """Run the handler for one message after the other until there is none."""
        handled = 0
        await self._connects.take()
        while session.is_open and (item := inbox.pop()) is not None:
            handled += 1
            if handled % _MESSAGES_PER_TURN == 0:
                await asyncio.sleep(0)
            if isinstance(item, Ending):
                session.close(item.reason)
                break
            try:
                await self._handlers["message"](session.sid, item)
            except (MalformedPacket, RecursionError):
                session.close("parse error")
            except Exception:  # the top of a task: one client's trouble stays its own
                log.exception("message handler failed")
                session.close("server error")
        session.inbox = None

    # ── time ────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> NoReturn:
        """Keep time and clean up, until cancelled. Must run before the first connection."""
        async with asyncio.TaskGroup() as group:
            self._workers = group
            group.create_task(self._keep_time(), name="engine clock")
            group.create_task(self._clean_up(), name="engine clean-up")
        raise AssertionError

    async def _keep_time(self) -> NoReturn:
        shortest = min(
            self.options.ping_interval_s,
            self.options.ping_timeout_s,
            self.options.connect_timeout_s or _MAX_TICK_S,
        )
        tick_s = min(_MAX_TICK_S, shortest / _TICKS_PER_TIMEOUT)
        while True:
            await asyncio.sleep(tick_s)
            try:
                await self._tick(tick_s)
            except Exception:  # one session's trouble must not stop the clock of the others
                log.exception("tick failed")

    async def _tick(self, tick_s: float) -> None:
        self.slow.expire()
        self.doors.expire()
        for session in self._unconfirmed.expired():
            session.close("connect timeout")
        # Early rather than late by one tick: a time-out is never longer than promised.
        for count, _ in enumerate(self.heartbeat.beat(tolerance_s=tick_s)):
            if count % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    async def _clean_up(self) -> NoReturn:
        while True:
            await self._is_anyone_leaving.wait()
            self._is_anyone_leaving.clear()
            count = 0
            while self._leaving:
                await self._depart(*self._leaving.popleft())  # no name keeps the last one alive
                count += 1
                if count % _SLICE == 0:
                    await asyncio.sleep(0)

    async def _depart(self, session: Session, reason: str) -> None:
        try:
            self.departed(session)
            await self._handlers["disconnect"](session.sid, reason)
        except Exception:  # one session's trouble must not stop the clean-up of the others
            log.exception("disconnect handler failed")

    def hang_up_all(self, reason: str) -> None:
        """Close every session and every connection."""
        for session in list(self.sessions.values()):
            session.close(reason)
        self.doors.close_all()


def _message(data: str | bytes) -> Outgoing:
    if isinstance(data, str):
        return text_packet(b"4" + data.encode())
    return binary_packet(data)
