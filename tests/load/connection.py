"""A Socket.IO v5 client over WebSocket alone, small enough not to be what is measured.

python-socketio's client costs several greenlets a connection and decodes every packet twice.
"""

from __future__ import annotations

import contextlib
from typing import Any, Final, Self
from urllib.parse import urlencode

import orjson
import websocket

_HANDSHAKE_S: Final = 20.0
_CLOSE_S: Final = 2

_OPEN: Final = "0"  # Engine.IO packet types are one character
_PING: Final = "2"
_PONG: Final = "3"
_CONNECT: Final = "40"  # Engine.IO message, then the Socket.IO packet type
_DISCONNECT: Final = "41"
_EVENT: Final = "42"


class ConnectionLost(Exception):
    """The server closed the connection, refused it, or fell silent.

    Attributes:
        reason: Without tokens or bodies, and the same for equal causes, so that locust adds
            them up.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"connection lost: {self.reason}"


class Connection:
    """A client that is connected to the main namespace. Use ``Connection.to``.

    Args:
        wire: An open WebSocket.
    """

    def __init__(self, wire: websocket.WebSocket) -> None:
        self._wire = wire

    @classmethod
    def to(cls, url: str, token: str) -> Self:
        """Connect, and return when the server has answered CONNECT.

        Args:
            url: Of the server, ``http://`` or ``https://``.
            token: Channel token.

        Raises:
            ConnectionLost: If the server is not there, or does not let us in within 20 s.
        """
        query = urlencode({"EIO": 4, "transport": "websocket", "channel_token": token})
        address = f"ws{url.removeprefix('http').rstrip('/')}/socket.io/?{query}"
        with _translated(), contextlib.ExitStack() as undo:
            wire = websocket.create_connection(
                address, timeout=_HANDSHAKE_S, skip_utf8_validation=True
            )
            undo.callback(wire.shutdown)
            opened = orjson.loads(_expect(wire, _OPEN))
            wire.send(_CONNECT)
            _expect(wire, _CONNECT)
            # The server pings in this interval: longer silence means that it is gone.
            wire.settimeout((opened["pingInterval"] + opened["pingTimeout"]) / 1000)
            undo.pop_all()
            return cls(wire)

    def receive(self) -> tuple[str, Any]:
        """Wait for the next event. Answer pings meanwhile.

        Returns:
            Name and first argument; what follows it (an offset) is dropped.

        Raises:
            ConnectionLost: When there will be no further event.
        """
        with _translated():
            while True:
                packet = self._wire.recv()
                if packet.startswith(_EVENT):
                    name, body, *_ = orjson.loads(packet[len(_EVENT) :])
                    return name, body
                if packet != _PING:
                    raise ConnectionLost(f"packet {packet[:2]!r}")
                self._wire.send(_PONG)

    def close(self) -> None:
        """Say goodbye and close, whatever state the connection is in."""
        with contextlib.suppress(OSError, websocket.WebSocketException):
            self._wire.send(_DISCONNECT)
            self._wire.close(timeout=_CLOSE_S)
        self._wire.shutdown()


def _expect(wire: websocket.WebSocket, kind: str) -> str:
    """Receive a packet of this kind. Return what follows the kind."""
    packet = wire.recv()
    if not packet.startswith(kind):
        raise ConnectionLost(f"packet {packet[:2]!r} in the handshake")
    return packet.removeprefix(kind)


@contextlib.contextmanager
def _translated():
    try:
        yield
    except (OSError, websocket.WebSocketException) as error:
        raise ConnectionLost(type(error).__name__) from error
