"""A node that a test can drain and end, and that tells what it was asked.

It knows just enough of Engine.IO for a proxy in front of it. Head and body of an answer are sent
apart, as a network may deliver them.
"""

from __future__ import annotations

import contextlib
import http.server
import itertools
import socket
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from email.message import Message

_UNKNOWN: Final = '{"code":1,"message":"Session ID unknown"}'
_numbers: Final = itertools.count()


class Asked(NamedTuple):
    """One request, but for those to ``/ready``."""

    method: str
    path: str
    headers: Message


class StubNode:
    """A context manager: leaving it frees the port.

    Attributes:
        is_draining: Not ready, and only there for the sessions it has.
        sessions: Ids of the sessions that were opened here.
        asked: Requests in the order in which they came.
    """

    def __init__(self) -> None:
        self.is_draining = False
        self.sessions: set[str] = set()
        self.asked: list[Asked] = []
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = self._server.server_port

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Free the port and break all connections, as a process that ends."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: Asked) -> tuple[int, str]:
        """Return status and text."""
        url = urlsplit(request.path)
        if url.path == "/ready":
            return (503, "draining") if self.is_draining else (200, "ok")
        self.asked.append(request)
        sid = parse_qs(url.query).get("sid", [""])[0]
        if sid in self.sessions:
            return 200, "6"
        if self.is_draining:
            return 503, "draining"
        return (400, _UNKNOWN) if sid else (200, self._opened())

    def _opened(self) -> str:
        sid = f"session-{next(_numbers)}"
        self.sessions.add(sid)
        return f'0{{"sid":"{sid}","upgrades":["websocket"]}}'


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self._connections: set[socket.socket] = set()

    def process_request(self, connection: socket.socket, address: object) -> None:
        self._connections.add(connection)
        super().process_request(connection, address)

    def shutdown_request(self, connection: socket.socket) -> None:
        self._connections.discard(connection)
        super().shutdown_request(connection)

    def server_close(self) -> None:
        super().server_close()
        for connection in [*self._connections]:
            with contextlib.suppress(OSError):  # it is closed by now
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: object) -> None:
        """A proxy may break a connection when it has seen enough: not worth a traceback."""


def _handler(node: StubNode) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text = node.answer(Asked(self.command, self.path, self.headers))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    return Handler
