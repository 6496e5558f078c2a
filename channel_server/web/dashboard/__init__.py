"""The dashboard: files of our own, and the question for the password."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from aiohttp import web

from channel_server.web.bodies import in_time
from channel_server.web.guard import FOREIGN, ONLY_HERE
from channel_server.web.operator import CannotDo

if TYPE_CHECKING:
    from channel_server.web.guard import Guard

_FOLDER: Final = Path(__file__).parent / "static"
_KINDS: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_FILES: Final = {path.name: (path.read_bytes(), _KINDS[path.suffix]) for path in _FOLDER.iterdir()}
_NO_DASHBOARD: Final = (
    "there is no dashboard: set ADMIN_PASSWORD, or let ADMIN_HOST be an address of this machine"
)
_MAX_FORM: Final = 4096
_MAX_FIELDS: Final = 10


def add_dashboard(app: web.Application, guard: Guard) -> None:
    """Add ``/admin``. What it shows and does, it asks the API for.

    Args:
        app: Gets the routes.
        guard: Knows the password, and who has given it.
    """
    router = app.router
    router.add_get("/", _go_to_dashboard)
    router.add_get("/admin", partial(_page, guard))
    router.add_post("/admin/login", partial(_log_in, guard))
    router.add_post("/admin/logout", partial(_log_out, guard))
    router.add_get("/admin/static/{name}", _file)


async def _go_to_dashboard(_request: web.Request) -> web.Response:
    raise web.HTTPFound("/admin")


async def _page(guard: Guard, request: web.Request) -> web.Response:
    if not guard.has_dashboard:
        raise CannotDo(404, _NO_DASHBOARD)
    if guard.has_session(request):
        return _html("index.html")
    if guard.asks_for_password:
        return _html("login.html")
    if guard.is_misled(request):
        raise CannotDo(403, ONLY_HERE)
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        return _html("index.html")  # a picture, or a frame, of another site's needs no session
    return _begin(guard, request, _html("index.html"))


async def _log_in(guard: Guard, request: web.Request) -> web.Response:
    if not guard.asks_for_password:
        raise CannotDo(404, _NO_DASHBOARD)
    if guard.is_foreign(request):
        raise CannotDo(403, FOREIGN)
    peer, password = request.remote or "", await _password_in(request)
    # From here on without an await: a hundred at once are looked at one after the other.
    if not guard.throttle.may_try(peer):
        return _html("login.html", 429, "Too many wrong passwords: wait a minute.")
    if not guard.is_password(password):
        guard.throttle.failed(peer)
        return _html("login.html", 401, "That is not the password.")
    return _begin(guard, request, web.HTTPSeeOther("/admin"))


async def _password_in(request: web.Request) -> str:
    """The password in a form; "" if it is none.

    What is too long is not even read: to take a form of 1 MB apart takes 0.6 s.
    """
    is_form = request.content_type == "application/x-www-form-urlencoded"
    if not is_form or (request.content_length or _MAX_FORM + 1) > _MAX_FORM:
        return ""
    body = await in_time(request.read())
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return ""
    return fields.get("password", [""])[0]


async def _log_out(guard: Guard, request: web.Request) -> web.Response:
    if not guard.is_foreign(request):
        guard.end_session(request)
    response = web.HTTPSeeOther("/admin")
    response.del_cookie(guard.cookie, path="/")
    return response


def _begin(guard: Guard, request: web.Request, response: web.Response) -> web.Response:
    """Give the browser a session."""
    is_secure = request.headers.get("X-Forwarded-Proto", request.scheme) == "https"
    response.set_cookie(
        guard.cookie,
        guard.begin_session(),
        path="/",
        httponly=True,
        samesite="Strict",
        secure=is_secure,
    )
    return response


def _html(name: str, status: int = 200, trouble: str = "") -> web.Response:
    body = _FILES[name][0].replace(b"<!-- trouble -->", trouble.encode())
    return web.Response(
        body=body,
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Cache-Control": "no-store"},
    )


async def _file(request: web.Request) -> web.Response:
    found = _FILES.get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    body, kind = found
    return web.Response(
        body=body, content_type=kind, charset="utf-8", headers={"Cache-Control": "no-cache"}
    )
