"""The Socket.IO path over HTTP: which session a request belongs to, and what it may do.

Source: engine.io 6.6, lib/server.ts, ``verify`` and ``handshake``, for the order of the checks.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Final

from channel_server.core.packets import CLOSE, read_payload, text_packet
from channel_server.engine.http import JSON, TEXT, Refusal, read_query
from channel_server.engine.request import accept_websocket
from channel_server.engine.session import Session
from channel_server.engine.websocket import WebSocket
from channel_server.errors import MalformedPacket

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channel_server.engine.front import Front
    from channel_server.engine.polling import Polling
    from channel_server.engine.request import Request
    from channel_server.engine.server import Engine

_TRANSPORTS: Final = frozenset({"polling", "websocket"})
_SID_BYTES: Final = 15
_GOODBYE_S: Final = 0.02
_NOT_READY: Final = "not ready, come back soon"
_DRAINING: Final = "draining, come back soon"


class Endpoint:
    """Serves the requests that ``Front`` has parsed.

    Args:
        engine: Owner of the sessions.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        options = engine.options
        self._origin = options.cors.origin if options.cors.strict else None
        limits = b'"pingInterval":%d,"pingTimeout":%d,"maxPayload":%d}' % (
            round(options.ping_interval_s * 1000),
            round(options.ping_timeout_s * 1000),
            options.max_payload,
        )
        self._open_polling = b'0{"sid":"%s","upgrades":["websocket"],' + limits
        self._open_socket = b'0{"sid":"%s","upgrades":[],' + limits

    def is_own(self, path: str, *, is_upgrade: bool) -> bool:  # noqa: ARG002 - as any endpoint
        """Tell whether a request is for this endpoint."""
        return path == self._engine.options.path

    def serve(self, front: Front, request: Request) -> None:
        """Answer one request, now or later, on the connection it came from."""
        if request.method == "OPTIONS":
            headers = request.headers.get("Access-Control-Request-Headers", "")
            front.reply(self._engine.replies.preflight(headers))
            return
        query = read_query(request.query)
        address = self._address_of(front, request)
        if address is not None and not self._engine.addresses.asks(address):
            self._turn_away(front, 429, "too many requests from this address")
            return
        # A session of another node, too: its proxy will find that one after a 503.
        is_late = self._engine.is_draining and query.get("sid") not in self._engine.sessions
        if is_late or not self._engine.is_ready:
            self._turn_away(front, 503, _DRAINING if is_late else _NOT_READY)
            return
        found = self._check(request, query)
        if isinstance(found, Refusal):
            self._refuse(front, found)
        elif request.is_upgrade:
            self._upgrade(front, request, found, address)
        elif found is None:
            self._open(front, request, address)
        elif request.method == "GET":
            self._poll(front, found)
        else:
            self._receive(front, found, request.body)

    def _turn_away(self, front: Front, status: int, reason: str) -> None:
        self._engine.doors.refused[reason] += 1
        front.reply(self._engine.replies.build(status, TEXT, reason.encode()))

    def _refuse(self, front: Front, refusal: Refusal) -> None:
        self._engine.doors.refused[refusal.value[1]] += 1
        front.reply(self._engine.replies.build(refusal.status, JSON, refusal.body))

    def begin_post(self, front: Front, query: str) -> bool:
        """The body of a POST is still to come: two at once would have no order.

        Returns:
            False if the session has one already: it is closed, and this one refused.
        """
        session = self._engine.sessions.get(read_query(query).get("sid", ""))
        if session is None or session.polling is None:
            return True
        if session.polling.is_posting:
            session.close("overlapping requests")
            front.refuse(400, JSON, Refusal.BAD_REQUEST.body)
            return False
        session.polling.is_posting = True
        front.hold(session.polling)
        return True

    @staticmethod
    def end_post(polling: Polling | None) -> None:
        """The body is here."""
        if polling is not None:
            polling.is_posting = False

    def _overlap(self, front: Front, session: Session) -> None:
        session.close("overlapping requests")
        self._refuse(front, Refusal.BAD_REQUEST)

    def _check(self, request: Request, query: Mapping[str, str]) -> Session | Refusal | None:
        """Find the session, or None for a new one, or why not."""
        transport = query.get("transport")
        if transport not in _TRANSPORTS:
            return Refusal.TRANSPORT_UNKNOWN
        if self._origin is not None and request.headers.get("Origin") not in {None, self._origin}:
            return Refusal.FORBIDDEN
        is_mismatch = request.is_upgrade != (transport == "websocket")
        if query.get("EIO", "4") != "4":
            return Refusal.UNSUPPORTED_PROTOCOL
        sid = query.get("sid")
        found = _may_open(request, query) if sid is None else self._known(request, sid)
        return Refusal.BAD_REQUEST if is_mismatch and not isinstance(found, Refusal) else found

    def _known(self, request: Request, sid: str) -> Session | Refusal:
        session = self._engine.sessions.get(sid)
        if session is not None and self._engine.heartbeat.is_overdue(session):
            session.hang_up("ping timeout")
        if session is None or not session.is_open:
            return Refusal.SESSION_UNKNOWN
        if request.is_upgrade:
            return session
        may_poll = session.polling is not None and request.method in {"GET", "POST"}
        return session if may_poll else Refusal.BAD_REQUEST

    def _open(self, front: Front, request: Request, address: str | None) -> None:
        session = self._new_session(front, request, address)
        if session is not None:
            session.open_polling()
            self._engine.opened(session)
            packet = self._open_polling % session.sid.encode()
            front.reply(self._engine.replies.build(200, TEXT, packet))

    def _poll(self, front: Front, session: Session) -> None:
        if session.polling is not None and not session.polling.poll(front):
            self._overlap(front, session)

    def _receive(self, front: Front, session: Session, body: bytes) -> None:
        """Take a POST; a goodbye waits a moment for the GET that it may have overtaken."""
        if body == CLOSE.encode() and not session.is_polled:
            asyncio.get_running_loop().call_later(_GOODBYE_S, self._post, front, session, body)
        else:
            self._post(front, session, body)

    def _post(self, front: Front, session: Session, body: bytes) -> None:
        if session.polling is None or session.polling.is_posting:
            self._overlap(front, session)
            return
        try:
            for packet in read_payload(body):
                if self._engine.talkers.said(session):
                    session.receive(packet)
        except MalformedPacket:
            session.close("parse error")
            self._refuse(front, Refusal.BAD_REQUEST)
        else:
            front.reply(self._engine.replies.ok)

    def _upgrade(
        self, front: Front, request: Request, session: Session | None, address: str | None
    ) -> None:
        head = accept_websocket(request)
        if head is None:
            self._refuse(front, Refusal.BAD_REQUEST)
            return
        if session is not None:
            self._probe(front, session, head)
            return
        session = self._new_session(front, request, address)
        if session is None:
            return
        socket = WebSocket(self._engine, session, is_probe=False)
        session.open_socket(socket)
        self._engine.opened(session)
        packet = text_packet(self._open_socket % session.sid.encode())
        front.detach(socket, head + packet.frame)

    def _probe(self, front: Front, session: Session, head: bytes) -> None:
        """Let a socket try to take over a session; one that comes too late is closed at once."""
        probe = WebSocket(self._engine, session, is_probe=True)
        may_upgrade = session.polling is not None and session.probe is None
        self._engine.doors.probing(probe)
        front.detach(probe, head)
        if not may_upgrade:
            probe.close(abort=False)

    def _address_of(self, front: Front, request: Request) -> str | None:
        """The client's address, if addresses are counted."""
        if not self._engine.addresses.are_counted:
            return None
        # A proxy may add its own line behind one that the client has made up.
        forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
        return self._engine.addresses.client(front.peer, forwarded)

    def _new_session(self, front: Front, request: Request, address: str | None) -> Session | None:
        """Make a session; if the client's address has too many, say so and return None."""
        if address is not None and not self._engine.addresses.enter(address):
            self._turn_away(front, 429, "too many sessions from this address")
            return None
        sid = secrets.token_urlsafe(_SID_BYTES)
        return Session(self._engine, sid, request.query, address)


def _may_open(request: Request, query: Mapping[str, str]) -> Refusal | None:
    """Tell why a request may not open a session; None if it may."""
    if request.method != "GET":
        return Refusal.BAD_HANDSHAKE_METHOD
    return None if "EIO" in query else Refusal.UNSUPPORTED_PROTOCOL
