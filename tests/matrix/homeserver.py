"""A small homeserver that can be as bad as it is told to be, for what a real one does not do."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import unquote

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    token: str
    body: Any


class FakeHomeserver:
    """Knows rooms and who is in them; keeps events, each transaction of a token once.

    Attributes:
        asked: All requests, in order.
        events: ``(room id, content)`` in the order of arrival.
        aliases: Rooms by alias.
        broken_aliases: Those that cannot be looked up now.
        tombstones: Rooms that have been replaced.
        tombstone_fault: What happens to requests for a tombstone.
        outside: Rooms that no bot is in before it has joined.
        closed: Rooms that nobody may join.
        tokens: Those that are known; None for any.
        versions: Of the API that are known.
        faults: What happens to the next requests that send a message, one after the other.
        always: What happens to all of them.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.aliases: dict[str, str] = {}
        self.broken_aliases: set[str] = set()
        self.tombstones: set[str] = set()
        self.tombstone_fault: Fault | None = None
        self.outside: set[str] = set()
        self.closed: set[str] = set()
        self.tokens: set[str] | None = None
        self.versions = {"v3", "r0"}
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self._transactions: dict[tuple[str, str], str] = {}
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self, port: int = 0) -> Self:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[str]:
        return [content["body"] for _, content in self.events]

    def paths(self, part: str) -> list[str]:
        return [asked.path for asked in self.asked if part in asked.path]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        body = await request.json() if request.can_read_body else None
        self.asked.append(Asked(request.method, request.raw_path, token, body))
        parts = [unquote(part) for part in request.raw_path.strip("/").split("/")]
        if parts[2:3] and parts[2] not in self.versions:
            return refusal(404, "M_UNRECOGNIZED")
        return await self._route(request, parts, token, body)

    async def _route(
        self, request: web.Request, parts: list[str], token: str, body: Any
    ) -> web.StreamResponse:
        match parts:
            case ["_matrix", "client", _, "directory", "room", alias]:
                return self._look_up(alias)
            case _ if self.tokens is not None and token not in self.tokens:
                return refusal(401, "M_UNKNOWN_TOKEN")
            case ["_matrix", "client", _, "join", room]:
                return self._join(self.aliases.get(room, room))
            case ["_matrix", "client", _, "rooms", room, *what]:
                return await self._in_room(request, token, room, what, body)
            case _:
                return _nothing()

    async def _in_room(
        self, request: web.Request, token: str, room: str, what: list[str], body: Any
    ) -> web.StreamResponse:
        match what:
            case ["state", "m.room.tombstone"]:
                return await self._tombstone(request, room)
            case ["send", "m.room.message", transaction]:
                return await self._send(request, token, room, transaction, body)
            case _:
                return _nothing()

    def _look_up(self, alias: str) -> web.Response:
        if alias in self.broken_aliases:
            return refusal(502, "M_UNKNOWN")
        room = self.aliases.get(alias)
        return web.json_response({"room_id": room}) if room else refusal(404, "M_NOT_FOUND")

    def _join(self, room: str) -> web.Response:
        if room in self.closed:
            return refusal(403, "M_FORBIDDEN")
        self.outside.discard(room)
        return web.json_response({"room_id": room})

    async def _tombstone(self, request: web.Request, room: str) -> web.StreamResponse:
        if self.tombstone_fault is not None:
            return await self.tombstone_fault(request)
        if room not in self.tombstones:
            return refusal(404, "M_NOT_FOUND")
        return web.json_response({"body": "gone", "replacement_room": "!elsewhere:fake"})

    async def _send(
        self, request: web.Request, token: str, room: str, transaction: str, body: Any
    ) -> web.StreamResponse:
        if room in self.outside | self.closed:
            return refusal(403, "M_FORBIDDEN")
        fault = self.faults.popleft() if self.faults else self.always
        if fault is not None:
            answer = await fault(request)
            if answer is not ACCEPTED:
                return answer
        key = (token, transaction)
        if key not in self._transactions:
            self._transactions[key] = f"$event{len(self.events)}"
            self.events.append((room, body))
        if fault is not None:  # the message is in, and nobody hears of it
            return await cut(request)
        return web.json_response({"event_id": self._transactions[key]})


ACCEPTED = web.Response()


def _nothing() -> web.Response:
    return web.Response(status=404, text="<h1>no such page</h1>")


def refusal(status: int, code: str, **more: Any) -> web.Response:
    """An error as Matrix has it."""
    return web.json_response({"errcode": code, "error": "no", **more}, status=status)


def answering(status: int, document: Any = None, *, text: str = "", **headers: str) -> Fault:
    """Answer so."""

    async def fault(_: web.Request) -> web.StreamResponse:
        if document is not None:
            return web.json_response(document, status=status, headers=headers)
        return web.Response(status=status, text=text, headers=headers)

    return fault


async def cut(request: web.Request) -> web.StreamResponse:
    """Close the connection instead of an answer."""
    request.transport.abort()
    return web.Response()


async def accept_and_cut(_: web.Request) -> web.StreamResponse:
    """Take the message, then close the connection."""
    return ACCEPTED


async def hang(_: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.Event().wait()
    raise AssertionError


async def babble(request: web.Request) -> web.StreamResponse:
    """Answer without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b"x" * 65536)


@contextlib.asynccontextmanager
async def homeserver() -> AsyncIterator[FakeHomeserver]:
    """Run one for the time of the block."""
    fake = await FakeHomeserver().start()
    try:
        yield fake
    finally:
        await fake.stop()
