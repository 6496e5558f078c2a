"""redis-py's blocking connections with TLS, which here tell a ticket from an answer."""

from __future__ import annotations

import ssl
from typing import Any

from redis.connection import Connection, ConnectionPool, SSLConnection


class TlsConnection(SSLConnection):
    """A correction to redis-py's connection."""

    def can_read(self, timeout: float = 0) -> bool:
        """Whether the connection is unfit for a command, because of a stray answer or its end.

        A server with TLS 1.3 sends tickets behind the handshake. redis-py sees bytes, takes them
        for a stray answer, and gives up when the next connection has them, too: 2 to 4 of 60 new
        publishers failed with "Connection not ready". So what has come is read.
        """
        del timeout  # always 0
        sock: Any = self._sock
        if sock is None:
            return False
        sock.settimeout(0)
        try:
            sock.recv(1)
        except ssl.SSLWantReadError:
            return False
        except OSError:
            return True
        finally:
            sock.settimeout(self.socket_timeout)
        return True  # whatever came, or the end: the pool connects again


def with_tickets(connection_class: type[Any]) -> type[Any]:
    """Return the class to use in place of redis-py's."""
    return TlsConnection if connection_class is SSLConnection else connection_class


class TicketPool(ConnectionPool):
    """redis-py's pool, with our connections where it would use its own with TLS."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        super().__init__(with_tickets(connection_class), **options)
