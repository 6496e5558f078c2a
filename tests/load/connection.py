"""A Socket.IO v5 client, small enough not to be what is measured.

It behaves as the stock client does: it polls first, then moves to a WebSocket, and shows where
it was when it returns. python-socketio's client costs several greenlets a connection, decodes
every packet twice, and cannot recover.
"""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Self

import orjson

from tests.load.loss import ConnectionLost
from tests.load.polling import Polling

if TYPE_CHECKING:
    from tests.chaos.session import Session
    from tests.load.tunnel import Tunnel

_PING: Final = "2"  # Engine.IO packet types are one character
_PONG: Final = "3"
_NOOP: Final = "6"
_CONNECT: Final = "40"  # Engine.IO message, then the Socket.IO packet type
_EVENT: Final = "42"


class Connection:
    """A client that is connected to the main namespace. Use ``Connection.to``.

    Args:
        wire: Open, and let in.
        session: What is remembered from one connection to the next.
        early: Packets that came before the reply to CONNECT.

    Attributes:
        has_recovered: The server says that nothing is missing since the connection before.
    """

    def __init__(
        self, wire: Polling | Tunnel, session: Session, early: deque[str], *, has_recovered: bool
    ) -> None:
        self.has_recovered = has_recovered
        self._wire = wire
        self._session = session
        self._early = early

    @classmethod
    def to(cls, url: str, token: str, session: Session) -> Self:
        """Connect by polling, and return when the server has answered CONNECT.

        Args:
            url: Of the server, ``http://`` or ``https://``.
            token: Channel token.
            session: Its ``pid`` and offset are shown, if it has any; the new ones go there.

        Raises:
            ConnectionLost: If the server is not there, or does not let us in within 20 s.
        """
        wire = Polling.open(url, token)
        with contextlib.ExitStack() as undo:
            undo.callback(wire.cut)
            wire.send(session.connect_packet())
            early: deque[str] = deque()
            # A server may send what was missed before it replies, as the Node program does.
            while (packet := wire.receive()).startswith(_EVENT):
                early.append(packet)
            if not packet.startswith(_CONNECT):
                raise ConnectionLost(f"packet {packet[:2]!r} in the handshake")
            reply = orjson.loads(packet.removeprefix(_CONNECT))
            has_recovered = session.resume(reply.get("pid"))
            undo.pop_all()
        return cls(wire, session, early, has_recovered=has_recovered)

    def upgrade(self) -> None:
        """Leave polling for a WebSocket. Once at most.

        Raises:
            ConnectionLost: If the server does not agree.
        """
        self._wire = self._wire.upgraded()

    def receive(self) -> tuple[str, Any]:
        """Wait for the next event. Answer pings meanwhile.

        Returns:
            Name and first argument. An offset that follows it is in the session already, and
            nothing was awaited since: an event is both received and remembered, or neither.

        Raises:
            ConnectionLost: When there will be no further event.
        """
        while True:
            packet = self._early.popleft() if self._early else self._wire.receive()
            if packet.startswith(_EVENT):
                arguments = orjson.loads(packet.removeprefix(_EVENT))
                self._session.take(arguments)
                name, body, *_ = arguments
                return name, body
            if packet == _PING:
                self._wire.send(_PONG)
            elif packet != _NOOP:
                raise ConnectionLost(f"packet {packet[:2]!r}" if packet else "closed")

    def cut(self) -> None:
        """End it as a lost network does: no goodbye, and what is under way is lost."""
        self._wire.cut()
