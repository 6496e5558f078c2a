"""Static files of the demo page, with the headers that every answer of the page carries."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_HERE: Final = Path(__file__).parent

STATIC: Final = _HERE / "static"
"""Folder with the page, its style sheet and its scripts."""

CLIENT_JS: Final = _HERE / "client"
"""Where the build of this package (``deploy/demo_client.py``) puts socket.io-client."""

_NO_CLIENT: Final = "The Socket.IO client is not in this installation: `make run` has it.\n"

# Not guessed: Python's guess depends on the tables of the machine, and a browser runs no module
# script that has another type than JavaScript.
_CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

# Nothing from elsewhere, no inline script or style. 'self' also covers ws:// to our own port
# (CSP Level 3, 6.7.2.8).
PAGE_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        " object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # after an update, a reload shows the new page
}


def page_files() -> list[Path]:
    """List the files of the page, sorted by name; what an editor leaves beside them is not."""
    return sorted(path for path in STATIC.iterdir() if path.suffix in _CONTENT_TYPES)


def static_file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler that sends a file of ours."""

    async def send(_request: web.Request) -> web.StreamResponse:
        return _file(path)

    return send


def client_file(path: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Make a handler that sends an installed file, or 503 and one line while it is missing."""

    async def send(_request: web.Request) -> web.StreamResponse:
        # Looked up each time, so that `make run` elsewhere helps without a restart.
        if not await asyncio.to_thread(path.is_file):
            return web.Response(status=503, text=_NO_CLIENT, headers=PAGE_HEADERS)
        return _file(path)

    return send


def _file(path: Path) -> web.FileResponse:
    headers = PAGE_HEADERS | {"Content-Type": _CONTENT_TYPES[path.suffix]}
    return web.FileResponse(path, headers=headers)
