"""Programs that answer what a badly set up site answers."""

from __future__ import annotations

import contextlib
import http.server
import threading
from typing import TYPE_CHECKING

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
        upgrade: Status of requests for a WebSocket.

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
            self.send_response(code)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

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
