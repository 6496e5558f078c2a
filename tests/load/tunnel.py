"""Engine.IO over a WebSocket that takes over from polling."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final, Self

import websocket

from tests.load.loss import HANDSHAKE_S, ConnectionLost, translated

if TYPE_CHECKING:
    from collections import deque

_PROBE: Final = "2probe"
_PROBED: Final = "3probe"
_UPGRADE: Final = "5"


class Tunnel:
    """The second half of a connection. Use ``Tunnel.through``.

    Args:
        wire: An open WebSocket.
        unread: Packets that came by polling and nobody has looked at: they are first.
    """

    def __init__(self, wire: websocket.WebSocket, unread: deque[str]) -> None:
        self._wire = wire
        self._unread = unread

    @classmethod
    def through(cls, address: str, unread: deque[str], *, silence_s: float) -> Self:
        """Open a WebSocket, probe it, and move the session to it.

        Args:
            address: ``ws://`` or ``wss://``, with the id of the session in the query.
            unread: See the class.
            silence_s: After this long without a packet the server counts as gone.

        Raises:
            ConnectionLost: If the server does not agree within 20 s.
        """
        with translated(), contextlib.ExitStack() as undo:
            wire = websocket.create_connection(
                address, timeout=HANDSHAKE_S, skip_utf8_validation=True
            )
            undo.callback(wire.shutdown)
            wire.send(_PROBE)
            if wire.recv() != _PROBED:
                raise ConnectionLost("probe not answered")
            wire.send(_UPGRADE)
            wire.settimeout(silence_s)
            undo.pop_all()
            return cls(wire, unread)

    def send(self, packet: str) -> None:
        """Send one packet."""
        with translated():
            self._wire.send(packet)

    def receive(self) -> str:
        """Wait for the next packet; the empty text is the end."""
        if self._unread:
            return self._unread.popleft()
        with translated():
            return self._wire.recv()

    def cut(self) -> None:
        """Close the TCP connection without a word."""
        self._wire.shutdown()
