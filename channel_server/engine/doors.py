"""TCP connections: how many there may be, and how long each may do nothing."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from channel_server.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.front import Front
    from channel_server.engine.options import Options
    from channel_server.engine.socket import Socket


class Doors:
    """Counts connections, and closes those that have used up their time.

    Invariant: every accepted connection is either in ``fronts`` or in ``sockets``, until lost.

    Args:
        options: The limits.
        clock: Monotonic seconds.

    Attributes:
        fronts: Connections that speak HTTP.
        socket_count: Connections that speak WebSocket.
        refused: How many connections and requests were refused, by reason.
    """

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._max = options.max_connections
        self._write_limit = options.write_limit
        self.fronts: set[Front] = set()
        self.socket_count = 0
        self.refused: Counter[str] = Counter()
        self._is_empty = asyncio.Event()
        self._is_empty.set()
        connect_s = options.connect_timeout_s or float("inf")
        self._silent: Deadlines[Front] = Deadlines(connect_s, clock)
        self._idle: Deadlines[Front] = Deadlines(options.idle_timeout_s, clock)
        self._bodies: Deadlines[Front] = Deadlines(options.request_timeout_s, clock)
        self._overfull: Deadlines[Front] = Deadlines(options.write_timeout_s, clock)
        self._probes: Deadlines[Socket] = Deadlines(options.upgrade_timeout_s, clock)
        self._closing: Deadlines[Socket] = Deadlines(options.write_timeout_s, clock)

    def enter(self, front: Front) -> bool:
        """Count a new connection. Return whether there is room for it."""
        if len(self.fronts) + self.socket_count >= self._max:
            self.refused["too many connections"] += 1
            return False
        self.fronts.add(front)
        self._is_empty.clear()
        self._silent.start(front)
        return True

    def busy(self, front: Front) -> None:
        """The head of a request has come."""
        self._silent.stop(front)
        self._idle.stop(front)

    def reading(self, front: Front) -> None:
        """The body of a request is still to come."""
        self._bodies.start(front)

    def read(self, front: Front) -> None:
        """The body is complete."""
        self._bodies.stop(front)

    def idle(self, front: Front) -> None:
        """A request has been answered; the connection waits for the next one."""
        self._idle.start(front)

    def closing_front(self, front: Front) -> None:
        """A connection closes as soon as the client has read its last answer."""
        self._silent.start(front)

    def overfull(self, front: Front) -> None:
        """An answer is larger than what a client may leave unread for long."""
        if front not in self._overfull:
            self._overfull.start(front)

    def leave(self, front: Front) -> None:
        """A connection that speaks HTTP is gone, or was handed to a WebSocket."""
        self.fronts.discard(front)
        self._silent.stop(front)
        self._idle.stop(front)
        self._bodies.stop(front)
        self._overfull.stop(front)
        self._note_empty()

    def attach(self) -> None:
        """A connection speaks WebSocket from now on."""
        self.socket_count += 1

    def probing(self, socket: Socket) -> None:
        """A socket wants to take over a session."""
        self._probes.start(socket)

    def proven(self, socket: Socket) -> None:
        """It has taken over."""
        self._probes.stop(socket)

    def closing(self, socket: Socket) -> None:
        """A socket closes as soon as the client has read what was written."""
        self._closing.start(socket)

    def detach(self, socket: Socket) -> None:
        """A WebSocket connection is gone."""
        self.socket_count -= 1
        self._note_empty()
        self._probes.stop(socket)
        self._closing.stop(socket)

    def _note_empty(self) -> None:
        if not self.fronts and not self.socket_count:
            self._is_empty.set()

    async def empty(self) -> None:
        """Wait until the last connection is gone."""
        await self._is_empty.wait()

    def expire(self) -> None:
        """Close the connections whose time is up."""
        for front in (*self._silent.expired(), *self._idle.expired(), *self._bodies.expired()):
            front.drop()
        for front in self._overfull.expired():
            if front.unread_bytes > self._write_limit:
                front.drop()
        for socket in (*self._probes.expired(), *self._closing.expired()):
            socket.close(abort=True)

    def close_all(self) -> None:
        """Close every connection that speaks HTTP."""
        for front in list(self.fronts):
            front.drop()
