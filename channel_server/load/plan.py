"""What a load test does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from channel_server.errors import CannotLoad

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_PATH: Final = "/socket.io/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a load test does.

    Attributes:
        url: Of the server; with a path, if its own is another one than ``/socket.io/``.
        clients: How many connect.
        seconds: How long they stay when all are there.
        rate: New connections a second.
        publish: Messages a second, to all clients, through Redis; 0 for none.
    """

    url: str
    clients: int
    seconds: float
    rate: float
    publish: float = 0.0

    def socket_url(self, token: str) -> str:
        """Where one client connects.

        Args:
            token: Channel token; "" for a visitor.

        Raises:
            CannotLoad: If ``url`` is none.
        """
        parts = urlsplit(self.url)
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise CannotLoad("give an address like http://localhost:5000")
        path = parts.path if parts.path.strip("/") else _PATH
        query = "&".join(
            filter(None, (parts.query, "EIO=4&transport=websocket", f"channel_token={token}"))
        )
        return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, query, ""))
