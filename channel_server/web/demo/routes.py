"""HTTP routes of the demo page."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Protocol

import orjson
from aiohttp import web

from channel_server.web.demo.files import (
    CLIENT_JS,
    PAGE_HEADERS,
    STATIC,
    client_file,
    page_files,
    static_file,
)
from channel_server.web.demo.intake import Refused, take_order
from channel_server.web.demo.order import NoticeOrder, RecordsOrder
from channel_server.web.demo.sample_records import new_comment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from channel_server.web.demo.sample_records import Records
    from channel_server.web.demo.users import DemoUser

_SCRIPTS: Final = ("socket.io.js", "socket.io.min.js")


class Publisher(Protocol):
    """What the page needs of ``publisher.AsyncPublisher``."""

    async def publish_records(
        self,
        records: Records,
        /,
        *,
        group_id: int | None = None,
        user_id: int | None = None,
        to_nobody: bool = False,
    ) -> int:
        """Publish to one room, or to nobody. Return how many channel servers were listening."""
        ...

    async def publish_system_notice(
        self, notice: str, /, *, version: str | None = None, reload: bool = False
    ) -> int:
        """Publish to everybody. Return how many channel servers were listening."""
        ...


class Demo:
    """The demo page, its static files and its two JSON routes.

    Args:
        publish: Publishes what the form sends. What it raises becomes a logged status 500.
        client_js: Folder with ``socket.io.js`` and ``socket.io.min.js``. If it lacks them, their
            routes answer 503 with one line, which the page shows.
        users: Sample users; their tokens are in Redis already.
        now: Clock for ``created_at``, in UTC.
    """

    def __init__(
        self,
        publish: Publisher,
        *,
        client_js: Path = CLIENT_JS,
        users: tuple[DemoUser, ...],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._publish = publish
        self._client_js = client_js
        self._users = [asdict(user) for user in users]
        self._now = now
        self._numbers = itertools.count(1)

    def add_routes(self, app: web.Application) -> None:
        """Add every route of the page. Takes ``/``, ``/demo/*`` and ``/socket.io/*.js``."""
        add = app.router.add_get
        add("/", static_file(STATIC / "index.html"))
        for path in page_files():
            add(f"/demo/{path.name}", static_file(path))
        for name in _SCRIPTS:
            add(f"/socket.io/{name}", client_file(self._client_js / name))
        add("/demo/users", self._list_users)
        app.router.add_post("/demo/publish", self._publish_order)

    async def _list_users(self, _request: web.Request) -> web.Response:
        return _json(200, self._users)

    async def _publish_order(self, request: web.Request) -> web.Response:
        try:
            order = await take_order(request)
        except Refused as refused:
            return _json(refused.status, {"error": refused.reason})
        return _json(200, {"subscribers": await self._send(order)})

    async def _send(self, order: RecordsOrder | NoticeOrder) -> int:
        if isinstance(order, NoticeOrder):
            return await self._publish.publish_system_notice(order.text, reload=order.reload)
        records = new_comment(order.text, number=next(self._numbers), created_at=self._now())
        return await self._publish.publish_records(
            records,
            group_id=order.group_id,
            user_id=order.user_id,
            to_nobody=order.group_id is None and order.user_id is None,
        )


def _json(status: int, value: object) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(value),
        content_type="application/json",
        charset="utf-8",
        headers=PAGE_HEADERS | {"Cache-Control": "no-store"},  # tokens are in it
    )
