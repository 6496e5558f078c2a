"""The internal port as one site: health, metrics, and for operators a dashboard and an API."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from channel_server.log import Seldom, place_of
from channel_server.web.api import OPERATIONS, add_api
from channel_server.web.dashboard import add_dashboard
from channel_server.web.exposition import Exposition
from channel_server.web.guard import FOREIGN, ONLY_HERE
from channel_server.web.health import Health, add_health
from channel_server.web.openapi import document
from channel_server.web.operator import CannotDo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp.typedefs import Handler, Middleware

    from channel_server.metrics import Family
    from channel_server.web.guard import Guard
    from channel_server.web.operator import Operator

log = logging.getLogger(__name__)
_seldom = Seldom()

_MAX_BODY: Final = 1024 * 1024
_BEARER: Final = "bearer "
_NO_KEY: Final = "the key is missing: Authorization: Bearer <ADMIN_API_KEY>"
_NO_API: Final = "the API is off: set ADMIN_API_KEY where the server runs, and where it is asked"
_WITH_STATUS: Final = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "60"}}
_HEADERS: Final = {
    # Nothing is fetched from elsewhere, nobody may frame a page of ours, forms stay here.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # With "no-referrer", browsers would not say where a form comes from.
    "Referrer-Policy": "same-origin",
    "Server": "channel_server",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def internal_site(
    health: Callable[[], Health],
    families: Iterable[Family],
    *,
    guard: Guard,
    operator: Operator | None = None,
    version: str,
) -> web.Application:
    """Build the site.

    Args:
        health: How the server is now.
        families: Its metrics.
        guard: Who may do what.
        operator: What operators can see and do; None for a server without dashboard and API.
        version: Of this program.
    """
    app = web.Application(
        client_max_size=_MAX_BODY,
        middlewares=[_answered, *([_watched(guard)] if operator is not None else [])],
        logger=log,
    )
    add_health(app, health)
    app.router.add_get("/metrics", Exposition(families).get)
    if operator is not None:
        add_api(app, operator)
        described = msgspec.json.encode(document(OPERATIONS, version))

        async def openapi(_request: web.Request) -> web.Response:
            return web.Response(body=described, content_type="application/json")

        app.router.add_get("/api/openapi.json", openapi)
        add_dashboard(app, guard)

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)

    app.on_response_prepare.append(add_headers)
    return app


@web.middleware
async def _answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every trouble in JSON: one sentence, nothing of what was sent."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except Exception as error:  # noqa: BLE001 - what it is, is seen there
        return _answer_to(error)


def _answer_to(error: Exception) -> web.Response:
    match error:
        case CannotDo():
            return _error(error.status, error.reason, _WITH_STATUS.get(error.status))
        case web.HTTPRequestEntityTooLarge():
            return _error(413, f"the body is longer than {_MAX_BODY} bytes")
        case web.HTTPException():
            allow = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
            return _error(error.status, error.reason, allow)
        case ConnectionError():  # the client has gone away in the middle of its request
            return _error(400, "the request was cut off")
        case _:  # a bug; its words may quote what was sent
            if _seldom.may_say(place := place_of(error)):
                log.error("a request failed", extra={"error": place})
            return _error(500, "this is a bug: see the log")


def _error(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(
        {"error": reason}, status=status, headers={"Cache-Control": "no-store", **(headers or {})}
    )


def _watched(guard: Guard) -> Middleware:
    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/api/"):
            _let_in(guard, request)
        return await handler(request)

    return ask


def _let_in(guard: Guard, request: web.Request) -> None:
    """Return if a request may use the API.

    Raises:
        CannotDo: If not.
    """
    shown = request.headers.get("Authorization", "")
    if shown[: len(_BEARER)].lower() == _BEARER:
        _check_key(guard, request.remote or "", shown[len(_BEARER) :])
    else:
        _check_place(guard, request)


def _check_key(guard: Guard, peer: str, key: str) -> None:
    """The right key is always let in: else whoever guesses could keep its owner out."""
    if guard.is_key(key):
        return
    if not guard.throttle.may_try(peer):
        raise CannotDo(429, "too many wrong keys: wait a minute")
    guard.throttle.failed(peer)
    raise CannotDo(401, "the key is wrong")


def _check_place(guard: Guard, request: web.Request) -> None:
    """Let the dashboard in, and, where there is no key, programs on this machine."""
    if guard.is_foreign(request):
        raise CannotDo(403, FOREIGN)
    if guard.has_session(request):
        return
    if not guard.is_open:
        raise CannotDo(401, _NO_KEY if guard.has_key else _NO_API)
    if guard.is_misled(request):
        raise CannotDo(403, ONLY_HERE)
