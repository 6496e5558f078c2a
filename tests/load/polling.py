"""Engine.IO over HTTP long-polling: how every connection begins, and how some remain."""

from __future__ import annotations

import contextlib
from collections import deque
from http.client import HTTPConnection, HTTPSConnection
from typing import Final, Self
from urllib.parse import urlencode, urlsplit

import orjson

from tests.load.loss import HANDSHAKE_S, ConnectionLost, translated
from tests.load.tunnel import Tunnel

_OPEN: Final = "0"
_SEPARATOR: Final = "\x1e"
_OK: Final = 200
_TEXT: Final = {"Content-Type": "text/plain;charset=UTF-8"}


class Polling:
    """A session over two connections, as a browser has them: one waits, one posts.

    Use ``Polling.open``.

    Args:
        url: Of the server, ``http://`` or ``https://``.
        token: Channel token.
    """

    def __init__(self, url: str, token: str) -> None:
        site = urlsplit(url)
        connection = HTTPSConnection if site.scheme == "https" else HTTPConnection
        self._gets = connection(site.netloc, timeout=HANDSHAKE_S)
        self._posts = connection(site.netloc, timeout=HANDSHAKE_S)
        self._path = f"{site.path.rstrip('/')}/socket.io/"
        self._query = {"channel_token": token, "EIO": "4"}
        # http becomes ws, and https becomes wss.
        self._stream = f"ws{site.scheme.removeprefix('http')}://{site.netloc}{self._path}"
        self._silence_s = HANDSHAKE_S
        self._packets: deque[str] = deque()

    @classmethod
    def open(cls, url: str, token: str) -> Self:
        """Open a session.

        Raises:
            ConnectionLost: If the server is not there, or does not let us in within 20 s.
        """
        wire = cls(url, token)
        with contextlib.ExitStack() as undo:
            undo.callback(wire.cut)
            packet = wire.receive()
            if not packet.startswith(_OPEN):
                raise ConnectionLost(f"packet {packet[:2]!r} in the handshake")
            opened = orjson.loads(packet.removeprefix(_OPEN))
            wire._opened(opened["sid"], (opened["pingInterval"] + opened["pingTimeout"]) / 1000)
            undo.pop_all()
        return wire

    def _opened(self, sid: str, silence_s: float) -> None:
        self._query["sid"] = sid
        # The server pings in this interval: longer silence means that it is gone.
        self._silence_s = self._gets.timeout = silence_s
        if self._gets.sock is not None:  # it is, if the server keeps no connection
            self._gets.sock.settimeout(silence_s)

    def send(self, packet: str) -> None:
        """Post one packet."""
        self._ask(self._posts, packet)

    def receive(self) -> str:
        """Wait for the next packet."""
        if not self._packets:
            self._packets.extend(self._ask(self._gets).split(_SEPARATOR))
        return self._packets.popleft()

    def _ask(self, connection: HTTPConnection, packet: str | None = None) -> str:
        target = f"{self._path}?{urlencode({**self._query, 'transport': 'polling'})}"
        with translated():
            if packet is None:
                connection.request("GET", target)
            else:
                connection.request("POST", target, packet.encode(), _TEXT)
            response = connection.getresponse()
            body = response.read()
        if response.status != _OK:
            raise ConnectionLost(f"status {response.status}")
        return body.decode()

    def upgraded(self) -> Tunnel:
        """Move the session to a WebSocket, as the stock client does whenever it can.

        No poll is under way meanwhile, so what is published now waits at the server, which has
        to send it by the new way.

        Raises:
            ConnectionLost: If that does not work.
        """
        address = f"{self._stream}?{urlencode({**self._query, 'transport': 'websocket'})}"
        tunnel = Tunnel.through(address, self._packets, silence_s=self._silence_s)
        self.cut()
        return tunnel

    def cut(self) -> None:
        """Close the TCP connections without a word."""
        self._gets.close()
        self._posts.close()
