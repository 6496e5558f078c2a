"""Whether the process lives, whether it has started, and whether it delivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable


class Health(NamedTuple):
    """How the server is.

    Attributes:
        reasons: All that is wrong, one constant text for each; empty if nothing is.
        is_ready: Messages reach clients, and new clients are welcome.
        has_started: It has been ready at least once.
        is_draining: It is going away.
    """

    reasons: tuple[str, ...] = ()
    is_ready: bool = True
    has_started: bool = True
    is_draining: bool = False

    @property
    def status(self) -> str:
        """``ok``, ``degraded`` (it delivers, and yet), ``starting``, ``unready`` or ``draining``."""
        if self.is_draining:
            return "draining"
        if self.is_ready:
            return "degraded" if self.reasons else "ok"
        return "unready" if self.has_started else "starting"


def add_health(app: web.Application, health: Callable[[], Health]) -> None:
    """Add the three questions that orchestrators ask.

    ``GET /live`` is always 200. ``GET /startup`` is 503 until the server has been ready once.
    ``GET /ready`` is 503 while it is not: trouble that all nodes would have at once, such as a
    broken journal, is ``degraded`` with status 200. Each answers
    ``{"status": "...", "reasons": ["...", ...]}``.

    Args:
        app: Gets the routes.
        health: How the server is now.
    """

    def answer(*, is_yes: bool) -> web.Response:
        state = health()
        body = {"status": state.status, "reasons": state.reasons}
        return web.json_response(
            body, status=200 if is_yes else 503, headers={"Cache-Control": "no-store"}
        )

    async def live(_request: web.Request) -> web.Response:
        return answer(is_yes=True)

    async def ready(_request: web.Request) -> web.Response:
        return answer(is_yes=health().is_ready)

    async def startup(_request: web.Request) -> web.Response:
        return answer(is_yes=health().has_started)

    app.router.add_get("/live", live)
    app.router.add_get("/ready", ready)
    app.router.add_get("/startup", startup)
