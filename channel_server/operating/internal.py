"""The internal port: the same doors as for clients, with little room behind them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.engine.doors import Doors
from channel_server.engine.http import Replies
from channel_server.engine.listener import listening
from channel_server.engine.options import Cors, Options
from channel_server.engine.turns import Turns
from channel_server.errors import CannotListen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from channel_server.admin_config import AdminSettings
    from channel_server.engine.front import Front
    from channel_server.engine.polling import Polling
    from channel_server.engine.request import Request

log = logging.getLogger(__name__)

_TICK_S: Final = 1.0
_OPTIONS: Final = Options(
    # Not "*": pages of other sites have no business here.
    cors=Cors(origin="null"),
    max_connections=256,
    # Nobody keeps a place for long: 256 connections that say nothing would keep operators out.
    connect_timeout_s=5.0,
    idle_timeout_s=5.0,
    max_payload=1024 * 1024,
)


class _Nothing:
    """No path of the internal port is the engine's own."""

    def is_own(self, path: str, *, is_upgrade: bool) -> bool:  # noqa: ARG002
        return False

    def begin_post(self, front: Front, query: str) -> bool:  # noqa: ARG002
        raise AssertionError

    def end_post(self, polling: Polling | None) -> None:  # noqa: ARG002
        raise AssertionError

    def serve(self, front: Front, request: Request) -> None:  # noqa: ARG002
        raise AssertionError


class _Host:
    """Lets in who is not too slow and not one too many; aiohttp serves them."""

    def __init__(self) -> None:
        self.options = _OPTIONS
        self.replies = Replies(_OPTIONS.cors)
        self.doors = Doors(_OPTIONS, time.monotonic)
        self.newcomers = Turns()
        self.endpoint = _Nothing()

    def hang_up_all(self, reason: str) -> None:
        del reason
        self.doors.close_all()

    async def keep_time(self) -> NoReturn:
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                self.doors.expire()
            except Exception:  # clients must not pay for it
                log.exception("tick failed")


@contextlib.asynccontextmanager
async def internal_port(
    site: web.Application, settings: AdminSettings
) -> AsyncIterator[int | None]:
    """Serve the internal site for as long as the context lasts.

    Yields:
        The port; None if there is none: it is switched off, or, with a warning, taken. Clients
        are served all the same.
    """
    if not settings.port:
        yield None
        return
    host = _Host()
    async with contextlib.AsyncExitStack() as stack:
        opening = listening(host, site, settings.port, address=settings.host, prefix="ADMIN_")
        try:
            port = await stack.enter_async_context(opening)
        except CannotListen as error:
            log.warning(
                "no internal port: no metrics, dashboard and API",
                extra={"port": settings.port, "reason": error.reason, "setting": "ADMIN_PORT"},
            )
            yield None
            return
        group = await stack.enter_async_context(asyncio.TaskGroup())
        clock = group.create_task(host.keep_time(), name="internal clock")
        yield port
        clock.cancel()
