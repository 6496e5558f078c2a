"""How a connection ends before its time, whatever it was made of."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING, Final

import websocket

if TYPE_CHECKING:
    from collections.abc import Iterator

HANDSHAKE_S: Final = 20.0
"""The stock client's patience (socket.io-client 4.8, manager.js: ``timeout``)."""


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


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise ``ConnectionLost`` for whatever the libraries below us raise."""
    try:
        yield
    except (OSError, http.client.HTTPException, websocket.WebSocketException) as error:
        raise ConnectionLost(type(error).__name__) from error
