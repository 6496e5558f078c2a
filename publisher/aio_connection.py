"""redis-py's asyncio connections, which here notice at once that Redis has hung up."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.connection import (
    AbstractConnection,
    BlockingConnectionPool,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as RedisConnectionError

from publisher.deadline import LEFT, left_s

if TYPE_CHECKING:
    from asyncio.trsock import TransportSocket
    from collections.abc import Mapping

_CAN_POLL: Final = hasattr(select, "poll")  # not on Windows
# Linux only. Elsewhere poll reports a closed peer as POLLHUP, unasked, or not at all.
_PEER_CLOSED: Final = getattr(select, "POLLRDHUP", 0)


class _Attentive(AbstractConnection):
    """Mixed into each of redis-py's classes."""

    async def connect(self) -> None:
        """Connect and log in, or raise TimeoutError.

        redis-py bounds each wait by ``socket_timeout``, which we do not use: on Python 3.11 it
        costs a task for each command (asyncio.wait_for), and that swallows a cancellation now and
        then.
        """
        if not self.is_connected:
            async with asyncio.timeout(left_s()):
                await super().connect()  # type: ignore[no-untyped-call]  # redis-py: no "-> None"

    async def can_read(self) -> bool:
        """Whether the connection is unfit for a command, because of a stray answer.

        Raises:
            RedisConnectionError: If the other end has left: the pool then connects again.
        """
        if self._is_over():
            await self.disconnect(nowait=True)
            raise RedisConnectionError("the connection has ended")
        return bool(await self._has_more())

    if hasattr(AbstractConnection, "can_read"):
        _has_more = AbstractConnection.can_read
    else:  # redis-py before 8
        _has_more = AbstractConnection.can_read_destructive
        can_read_destructive = can_read

    def _is_over(self) -> bool:
        """Whether the other end has left.

        redis-py asks what the event loop has read. While the program was busy, the loop has
        read nothing, so a command would go to a Redis that has left. The socket itself knows.
        """
        if self._writer is None or self._reader is None:
            return False
        # After a reset the loop has closed the socket, whose number may be another one's by now.
        if self._writer.is_closing() or self._reader.exception() is not None:
            return True
        socket = self._writer.get_extra_info("socket") if _CAN_POLL else None
        return socket is not None and _is_closed_by_peer(socket)


def _is_closed_by_peer(socket: TransportSocket) -> bool:
    poll = select.poll()
    poll.register(socket, _PEER_CLOSED)
    return bool(poll.poll(0))


class _Tcp(_Attentive, Connection):
    """``redis://``."""


class _Tls(_Attentive, SSLConnection):
    """``rediss://``."""


class _Unix(_Attentive, UnixDomainSocketConnection):
    """``unix://``."""


OURS: Final[Mapping[type[Any], type[Any]]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}
"""Our class for each of redis-py's."""


class PunctualPool(BlockingConnectionPool):
    """redis-py's pool, in which a call waits for a free connection."""

    timeout = LEFT
