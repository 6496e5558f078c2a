"""The driver's event loop: one epoll, handlers without arguments.

Plain epoll rather than asyncio, so that the driver never is what limits a server: reading one
2 KB frame takes it about 2 µs.
"""

import select
import time
from collections.abc import Callable
from socket import socket

LIMIT_S = 60.0


class TookTooLong(Exception):
    """The clients did not reach a state in time; the message names the state."""


class Pump:
    """Calls the handler of every socket that can be read."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}

    def add(self, sock: socket, handler: Callable[[], None]) -> None:
        self._handlers[sock.fileno()] = handler
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def rewire(self, sock: socket, handler: Callable[[], None]) -> None:
        """Give a socket that was added before another handler."""
        self._handlers[sock.fileno()] = handler

    def remove(self, sock: socket) -> None:
        self._epoll.unregister(sock.fileno())
        del self._handlers[sock.fileno()]

    def turn(self, timeout_s: float) -> None:
        """Wait at most ``timeout_s`` for something to read, then read all there is."""
        for fd, _events in self._epoll.poll(timeout_s):
            handler = self._handlers.get(fd)
            if handler is not None:  # else closed by a handler before it in this turn
                handler()

    def until(self, reached: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
        """Run until ``reached()``.

        Raises:
            TookTooLong: After ``limit_s`` seconds.
        """
        deadline = time.monotonic() + limit_s
        while not reached():
            self.turn(0.05)
            if time.monotonic() > deadline:
                raise TookTooLong(what)

    def run(self, duration_s: float) -> None:
        """Keep the clients alive for a while."""
        end = time.perf_counter() + duration_s
        while (left := end - time.perf_counter()) > 0:
            self.turn(left)
