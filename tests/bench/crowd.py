"""The clients that one server has at a time."""

from typing import TYPE_CHECKING

from tests.bench.client import Client
from tests.bench.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 50  # handshakes under way; below every server's accept backlog


def _ignore(_client: Client) -> None:
    """Nobody counts at the moment."""


class Crowd:
    """Clients of one kind, with the user numbers 1, 2, 3 …

    Attributes:
        clients: All of them, in the order of their numbers.
        event: Called with the client for each event that arrives; loads replace it.
    """

    def __init__(self, pump: Pump, port: int, kind: type[Client]) -> None:
        self.clients: list[Client] = []
        self.event: Callable[[Client], None] = _ignore
        self._pump = pump
        self._port = port
        self._kind = kind
        self._connected = 0

    def grow(self, count: int) -> None:
        """Connect clients until there are ``count``, at most ``AT_ONCE`` of them at a time."""

        def all_connected() -> bool:
            while len(self.clients) < min(count, self._connected + AT_ONCE):
                client = self._kind(self._pump, self._port, len(self.clients) + 1, self)
                self.clients.append(client)
                client.start()
            return self._connected == count

        self._pump.until(all_connected, f"{count} clients connected")

    def connected(self, _client: Client) -> None:
        self._connected += 1

    def leave(self) -> None:
        """Close every connection."""
        for client in self.clients:
            client.close()
        self.clients.clear()
        self._connected = 0
        self.event = _ignore
