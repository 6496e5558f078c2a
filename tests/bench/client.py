"""What every client of the benchmark is: one non-blocking socket and somebody who counts."""

import socket
import struct
from typing import Final, Protocol

from tests.bench.pump import Pump

BUFFER: Final = bytearray(256 * 1024)  # shared: the driver has one thread
_RESET: Final = struct.pack("ii", 1, 0)


class HungUp(Exception):
    """The server closed a connection that should have stayed."""


class Unexpected(Exception):
    """The server sent something that has no place in the benchmark; the message shows it."""


class Audience(Protocol):
    """Who is told what a client has received."""

    def connected(self, client: "Client") -> None:
        """The server has accepted the Socket.IO CONNECT."""

    def event(self, client: "Client") -> None:
        """One event has arrived."""


class Client:
    """One connection to ``127.0.0.1:port`` for user ``number``."""

    __slots__ = ("_audience", "_pump", "_sock", "number", "port")

    def __init__(self, pump: Pump, port: int, number: int, audience: Audience) -> None:
        self.port = port
        self.number = number
        self._pump = pump
        self._audience = audience
        # Connecting may block: over loopback the kernel answers, not the server.
        self._sock = socket.create_connection(("127.0.0.1", port))
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pump.add(self._sock, self.readable)

    def start(self) -> None:
        """Begin the handshake."""
        raise NotImplementedError

    def readable(self) -> None:
        """Read once and act on it."""
        raise NotImplementedError

    def close(self) -> None:
        """Vanish without a word, as a crashed browser does: the server gets a TCP reset."""
        self._pump.remove(self._sock)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._sock.close()

    def _send(self, data: bytes) -> None:
        try:
            self._sock.sendall(data)  # a few hundred bytes: an empty buffer holds them
        except OSError as error:
            raise HungUp(f"client {self.number}, {error}") from error

    def _receive(self) -> int:
        """Read into the start of ``BUFFER``; return how many bytes."""
        try:
            size = self._sock.recv_into(BUFFER)
        except OSError as error:
            raise HungUp(f"client {self.number}, {error}") from error
        if not size:
            raise HungUp(f"client {self.number}")
        return size
