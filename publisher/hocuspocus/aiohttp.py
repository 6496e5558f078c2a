"""Behind aiohttp: ``app.router.add_post("/api/hocuspocus", handler(find_user, can_edit))``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from publisher.hocuspocus.body import BODY_BYTES_MAX, authorize_request_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from publisher.hocuspocus.decision import EditableType


def handler(
    find_user: Callable[[Any], Any],
    can_edit: Callable[[Any, EditableType, Any], bool | Awaitable[bool]],
    id_type: Callable[[str], Any] = int,
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Make a handler; arguments as for ``authorize_async``."""

    async def handle(request: web.Request) -> web.Response:
        body = b""
        try:
            async for piece in request.content.iter_chunked(BODY_BYTES_MAX):
                body += piece
                if len(body) > BODY_BYTES_MAX:
                    break
        except web.RequestPayloadError:
            return web.Response(status=400)  # not what its Content-Encoding says
        decision = await authorize_request_async(
            body, find_user=find_user, can_edit=can_edit, id_type=id_type
        )
        return web.Response(status=decision.status)

    return handle
