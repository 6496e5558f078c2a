"""Whether the process lives, and whether it delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


def add_health(app: web.Application, is_delivering: Callable[[], bool]) -> None:
    """Add ``GET /live`` (always 200) and ``GET /ready`` (200, or 503 while nothing arrives).

    Args:
        app: Gets the routes.
        is_delivering: Whether messages from Redis reach clients now.
    """

    async def live(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_request: web.Request) -> web.Response:
        if is_delivering():
            return web.json_response({"status": "ok"})
        return web.json_response({"status": "no subscription to Redis"}, status=503)

    app.router.add_get("/live", live)
    app.router.add_get("/ready", ready)
