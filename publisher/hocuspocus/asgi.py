"""Behind ASGI: ``FastAPI(routes=[Route("/api/hocuspocus", App(find_user, can_edit))])``, or Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from publisher.hocuspocus.body import BODY_BYTES_MAX, authorize_request_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    from publisher.hocuspocus.decision import Decision, EditableType

    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]


class App:
    """An ASGI application that answers every path; arguments as for ``authorize_async``."""

    def __init__(
        self,
        find_user: Callable[[Any], Any],
        can_edit: Callable[[Any, EditableType, Any], bool | Awaitable[bool]],
        id_type: Callable[[str], Any] = int,
    ) -> None:
        self._find_user = find_user
        self._can_edit = can_edit
        self._id_type = id_type

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send
    ) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        status, headers = 405, [(b"content-length", b"0")]
        if scope["method"] == "POST":
            status = (await self._decide(receive)).status
        else:
            headers.append((b"allow", b"POST"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def _decide(self, receive: Receive) -> Decision:
        body, is_more = b"", True
        while is_more and len(body) <= BODY_BYTES_MAX:
            message = await receive()
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
        return await authorize_request_async(
            body, find_user=self._find_user, can_edit=self._can_edit, id_type=self._id_type
        )
