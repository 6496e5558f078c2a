"""Whether the process lives, and whether it delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Health(NamedTuple):
    """How the server is.

    Attributes:
        status: ``ok``, ``degraded``, or what is missing.
        is_ready: Messages reach clients, and new clients are welcome.
    """

    status: str
    is_ready: bool = False


def add_health(app: web.Application, health: Callable[[], Health]) -> None:
    """Add ``GET /live`` (always 200) and ``GET /ready`` (200, or 503 while it is not).

    A journal in trouble is ``degraded`` with status 200: messages are delivered, and all nodes
    would go at once.

    Args:
        app: Gets the routes.
        health: How the server is now.
    """

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_request: web.Request) -> web.Response:
        status, is_ready = health()
        return web.json_response({"status": status}, status=200 if is_ready else 503)

    app.router.add_get("/live", live)
    app.router.add_get("/ready", ready)
