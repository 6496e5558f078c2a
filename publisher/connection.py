"""redis-py's blocking connections, which here wait no longer than the call may take."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final

from redis.connection import (
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)

from publisher.deadline import LEFT, bounded

if TYPE_CHECKING:
    from collections.abc import Mapping


class _Punctual(AbstractConnection):
    """Mixed into each of redis-py's classes."""

    socket_timeout = bounded("socket_timeout")
    socket_connect_timeout = bounded("socket_connect_timeout")

    def wait_at_most(self, seconds: float | None) -> None:
        """For each of the next bytes that are sent or read: about as long.

        It is a system call, 5 of 90 µs of a call to publish; so only if it was another time before.
        """
        sock: Any = self._sock
        if sock is None:
            return
        current = sock.gettimeout()
        if seconds is None or current is None or abs(current - seconds) > seconds / 20:
            sock.settimeout(seconds)


class _Tcp(_Punctual, Connection):
    """``redis://``."""


class _Unix(_Punctual, UnixDomainSocketConnection):
    """``unix://``."""


class _Tls(_Punctual, SSLConnection):
    """``rediss://``."""

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
        return True  # whatever came, or the end: the pool connects again


OURS: Final[Mapping[type[Any], type[Any]]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}
"""Our class for each of redis-py's."""


class PunctualPool(BlockingConnectionPool):
    """redis-py's pool, in which a call waits for a free connection."""

    timeout = LEFT


class _EachTime(_Punctual):
    """Mixed into connections that others than us use, for one command after the other."""

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis-py's
        """Send a command, or raise TimeoutError."""
        self.wait_at_most(self.socket_timeout)
        super().send_packed_command(command, check_health=check_health)  # type: ignore[no-untyped-call]


class _TcpEachTime(_EachTime, _Tcp):
    """``redis://``."""


class _TlsEachTime(_EachTime, _Tls):
    """``rediss://``."""


class OurPool(ConnectionPool):
    """redis-py's pool for Sentinels and the nodes of a cluster, with our connections."""

    def __init__(self, connection_class: type[Any] = Connection, **options: Any) -> None:
        kind = _TlsEachTime if issubclass(connection_class, SSLConnection) else _TcpEachTime
        super().__init__(kind, **options)
