"""The server for documents: sockets, their limits, and what belongs to all of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, NoReturn

from aiohttp import web

from channel_server.collab.documents import Documents
from channel_server.collab.sandbox import Sandbox
from channel_server.collab.socket import ClientSocket
from channel_server.engine.deadlines import Deadlines
from channel_server.engine.doors import Doors
from channel_server.engine.heartbeat import Heartbeat
from channel_server.engine.http import TEXT, Replies
from channel_server.engine.request import accept_websocket
from channel_server.engine.slow import SlowClients
from channel_server.engine.talkers import Talkers
from channel_server.engine.turns import Turns
from channel_server.log import Seldom, place_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from channel_server.collab.access import Access
    from channel_server.collab.options import Options
    from channel_server.collab.seat import Seat
    from channel_server.core.documents import Store
    from channel_server.engine.front import Front
    from channel_server.engine.options import Options as EngineOptions
    from channel_server.engine.polling import Polling
    from channel_server.engine.request import Request
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_TICK_S: Final = 0.5
_SLICE: Final = 50
_WELCOME: Final = "Welcome to Hocuspocus!"


class House:
    """All sockets, and what they share. Serves every request that asks for a WebSocket.

    Args:
        engine_options: Limits of connections.
        options: Limits of documents.
        access: Who may open what.
        store: Keeps what nobody is at.
        metrics: Counts.

    Attributes:
        is_ready: False answers every request for a WebSocket with 503.
        hang_ups: How many sockets we have ended, by reason.
    """

    def __init__(
        self,
        engine_options: EngineOptions,
        options: Options,
        *,
        access: Access,
        store: Store,
        metrics: Metrics,
    ) -> None:
        clock = time.monotonic
        self.options = engine_options
        self.access = access
        self.metrics = metrics
        self.sandbox = Sandbox()
        self.documents = Documents(store, self.sandbox, options, metrics=metrics, clock=clock)
        self.replies = Replies(engine_options.cors)
        self.doors = Doors(engine_options, clock)
        self.newcomers = Turns()
        self.slow = SlowClients(engine_options, clock)
        self.talkers = Talkers(engine_options.max_packets_per_s, clock)
        self.heartbeat = Heartbeat(
            engine_options.ping_interval_s, engine_options.ping_timeout_s, clock
        )
        self.hang_ups: Counter[str] = Counter()
        self.is_ready = False
        self._reauth_s = options.reauth_s
        self._seldom = Seldom(clock)
        self._strangers: Deadlines[ClientSocket] = Deadlines(options.stranger_s, clock)
        self._sockets: dict[ClientSocket, None] = {}
        self._group: asyncio.TaskGroup | None = None

    @property
    def endpoint(self) -> House:
        """Serves what aiohttp does not."""
        return self

    # ── requests ────────────────────────────────────────────────────────────────────────────

    def is_own(self, path: str, *, is_upgrade: bool) -> bool:  # noqa: ARG002 - any path will do
        """Tell whether a request is for a WebSocket."""
        return is_upgrade

    def begin_post(self, front: Front, query: str) -> bool:  # noqa: ARG002
        """The body of a POST is still to come; it is read, and refused then."""
        return True

    def end_post(self, polling: Polling | None) -> None:
        """The body is here."""

    def serve(self, front: Front, request: Request) -> None:
        """Answer a request for a WebSocket."""
        head = accept_websocket(request)
        cors = self.options.cors
        if cors.strict and request.headers.get("Origin") not in {None, cors.origin}:
            self._turn_away(front, 403, "not from this page")
        elif not self.is_ready:
            self._turn_away(front, 503, "not ready, come back soon")
        elif head is None:
            self._turn_away(front, 400, "not a WebSocket handshake")
        else:
            socket = ClientSocket(self)
            self._sockets[socket] = None
            self._strangers.start(socket)
            self.heartbeat.start(socket)
            self.metrics.collab_sockets = len(self._sockets)
            front.detach(socket, head)

    def _turn_away(self, front: Front, status: int, reason: str) -> None:
        self.doors.refused[reason] += 1
        front.reply(self.replies.build(status, TEXT, reason.encode()))

    # ── sockets ─────────────────────────────────────────────────────────────────────────────

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a client's work that has to wait for something."""
        assert self._group is not None, "House.run is not running"
        return self._group.create_task(_alone(work))

    def known(self, socket: ClientSocket) -> None:
        """A client has opened a document."""
        self._strangers.stop(socket)

    def complain(self, text: str) -> None:
        """Say what is wrong, such as what a client was refused; not again for ten seconds."""
        if self._seldom.may_say(text):
            log.warning(text)

    def lost(self, socket: ClientSocket) -> None:
        """A connection is gone."""
        self._sockets.pop(socket, None)
        self._strangers.stop(socket)
        self.heartbeat.stop(socket)
        self.slow.forget(socket)
        self.talkers.forget(socket)
        self.metrics.collab_sockets = len(self._sockets)

    def expel(self, is_meant: Callable[[Seat], bool]) -> int:
        """Turn out of documents whoever is meant. Return from how many."""
        return sum(socket.expel(is_meant) for socket in list(self._sockets))

    def recheck(self, is_meant: Callable[[Seat], bool]) -> None:
        """Ask the application again whether those that are meant still may."""
        for socket in list(self._sockets):
            socket.recheck(is_meant)

    def hang_up_all(self, reason: str) -> None:
        """Close every connection."""
        for socket in list(self._sockets):
            self.hang_ups[reason] += 1
            socket.reset()
        self.doors.close_all()

    async def close(self) -> None:
        """End what runs beside this process."""
        await self.sandbox.close()
        await self.documents.close()

    # ── time ────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> NoReturn:
        """Keep time and store documents, until cancelled. Must run before the first connection."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            group.create_task(self.documents.run(), name="documents")
            if self._reauth_s:
                group.create_task(self._ask_again(), name="documents access")
            await self._keep_time()
        raise AssertionError

    async def _keep_time(self) -> NoReturn:
        while True:
            await asyncio.sleep(_TICK_S)
            await _alone(self._tick())

    async def _tick(self) -> None:
        await self.sandbox.end_if_idle()
        self.slow.expire()
        self.doors.expire()
        for socket in self._strangers.expired():
            socket.hang_up("connect timeout")
        for count, _ in enumerate(self.heartbeat.beat(tolerance_s=_TICK_S)):
            if count % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)

    async def _ask_again(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._reauth_s)
            for socket in list(self._sockets):
                socket.recheck(lambda _: True)
                await asyncio.sleep(0)


async def _alone(work: Coroutine[Any, Any, None]) -> None:
    """Do something whose trouble is nobody else's."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the top of a task
        # Without its words, which may quote what somebody writes.
        log.error("a task failed", extra={"error": place_of(error)})  # noqa: TRY400


def add_welcome(app: web.Application) -> None:
    """Answer every request that is not for a WebSocket as the Node program does."""

    async def welcome(_request: web.Request) -> web.Response:
        return web.Response(text=_WELCOME)

    app.router.add_route("*", "/{path:.*}", welcome)
