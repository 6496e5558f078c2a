"""Programs that answer what a badly set up site answers."""

from __future__ import annotations

import contextlib
import http.server
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.utils import accept_key

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN = '0{"sid":"abc","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}'


@contextlib.contextmanager
def answering(
    status: int = 200,
    body: str = OPEN,
    headers: tuple[tuple[str, str], ...] = (("Access-Control-Allow-Origin", "*"),),
    *,
    later: int | None = None,
    upgrade: int = 400,
) -> Iterator[str]:
    """Answer every request the same.

    Args:
        status: Of the answer.
        body: Of the answer.
        headers: Sent with it.
        later: Status of requests with a session id; None for the same.
        upgrade: Status of requests for a WebSocket; after 101, nothing more is said.

    Yields:
        Base address.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code = status
            if "Upgrade" in self.headers:
                code = upgrade
            elif "sid=" in self.path and later is not None:
                code = later
            if code == HTTPStatus.SWITCHING_PROTOCOLS:
                self.upgrade()
                return
            self.send_response(code)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def upgrade(self) -> None:
            """As a proxy does whose server is dead behind it."""
            self.protocol_version = "HTTP/1.1"
            self.send_response(HTTPStatus.SWITCHING_PROTOCOLS)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "upgrade")
            self.send_header("Sec-WebSocket-Accept", accept_key(self.headers["Sec-WebSocket-Key"]))
            self.end_headers()
            self.rfile.read()  # until the client has had enough

        do_POST = do_GET  # noqa: N815 - a name of http.server

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
