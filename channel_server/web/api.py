"""The HTTP API: one table of operations, which answers requests and describes itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec
from aiohttp import web

from channel_server.web.bodies import in_time
from channel_server.web.operator import (
    CannotDo,
    Draining,
    Groups,
    History,
    Info,
    Journal,
    Moved,
    Notice,
    Operator,
    Publish,
    Room,
    Rooms,
    Sent,
    User,
)
from publisher.contract.ids import ID_CHARACTERS, read_id

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from publisher.contract.ids import Id

_MAX_ROOMS: Final = 1000
_MAX_NAME: Final = 200

T = TypeVar("T", bound=msgspec.Struct)


class Parameter(NamedTuple):
    """A value in the path or in the query."""

    name: str
    place: str
    schema: dict[str, Any]
    text: str


class Operation(NamedTuple):
    """One thing that can be asked.

    Attributes:
        method: HTTP method.
        path: As aiohttp and OpenAPI write it.
        text: What it does, one sentence.
        answer: What comes back.
        handle: Does it.
        body: What has to be sent.
        parameters: In the path and in the query.
        status: Of the answer.
    """

    method: str
    path: str
    text: str
    answer: type[msgspec.Struct]
    handle: Callable[[Operator, web.Request], Awaitable[msgspec.Struct]]
    body: type[msgspec.Struct] | None = None
    parameters: tuple[Parameter, ...] = ()
    status: int = 200


async def _info(operator: Operator, _request: web.Request) -> Info:
    return await operator.info()


async def _history(operator: Operator, _request: web.Request) -> History:
    return operator.history()


async def _journal(operator: Operator, _request: web.Request) -> Journal:
    return operator.journal()


async def _rooms(operator: Operator, request: web.Request) -> Rooms:
    part = request.query.get("search", "")
    if len(part) > _MAX_NAME:
        raise CannotDo(400, f"search must have at most {_MAX_NAME} characters")
    return operator.rooms(part, _number("limit", request.query.get("limit", "100"), _MAX_ROOMS))


async def _room(operator: Operator, request: web.Request) -> Room:
    name = request.match_info["room"]
    if len(name) > _MAX_NAME:
        raise CannotDo(400, f"room must have at most {_MAX_NAME} characters")
    return operator.room(name)


async def _user(operator: Operator, request: web.Request) -> User:
    return operator.user(_id(request, "user_id"))


async def _publish_to_group(operator: Operator, request: web.Request) -> Sent:
    group_id = _id(request, "group_id")
    return await operator.publish_to_group(group_id, await _body(request, Publish))


async def _publish_to_user(operator: Operator, request: web.Request) -> Sent:
    user_id = _id(request, "user_id")
    return await operator.publish_to_user(user_id, await _body(request, Publish))


async def _notice(operator: Operator, request: web.Request) -> Sent:
    return await operator.notice(await _body(request, Notice))


async def _disconnect(operator: Operator, request: web.Request) -> Sent:
    return await operator.disconnect(_id(request, "user_id"))


async def _replace_groups(operator: Operator, request: web.Request) -> Moved:
    user_id = _id(request, "user_id")
    return await operator.replace_groups(user_id, await _body(request, Groups))


async def _drain(operator: Operator, _request: web.Request) -> Draining:
    return operator.drain()


_AN_ID: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": 64,
    "pattern": "^[A-Za-z0-9_.:-]+$",
}
_USER: Final = Parameter("user_id", "path", _AN_ID, "Which user.")
_GROUP: Final = Parameter("group_id", "path", _AN_ID, "Which group.")
_ROOM: Final = Parameter(
    "room", "path", {"type": "string", "minLength": 1, "maxLength": _MAX_NAME}, "Which."
)
_SEARCH: Final = Parameter(
    "search",
    "query",
    {"type": "string", "maxLength": _MAX_NAME},
    "Only rooms whose names contain this.",
)
_LIMIT: Final = Parameter(
    "limit",
    "query",
    {"type": "integer", "minimum": 1, "maximum": _MAX_ROOMS, "default": 100},
    "How many rooms at most.",
)

OPERATIONS: Final = (
    Operation("GET", "/api/info", "How this node is, and who is here.", Info, _info),
    Operation("GET", "/api/history", "The last five minutes.", History, _history),
    Operation("GET", "/api/journal", "How the journal is.", Journal, _journal),
    Operation(
        "GET",
        "/api/rooms",
        "The largest rooms of this node.",
        Rooms,
        _rooms,
        parameters=(_SEARCH, _LIMIT),
    ),
    Operation(
        "GET", "/api/rooms/{room}", "How many clients are in a room, on this node.", Room, _room,
        parameters=(_ROOM,),
    ),
    Operation(
        "GET", "/api/users/{user_id}", "Whether a user is online, on this node.", User, _user,
        parameters=(_USER,),
    ),
    Operation(
        "POST", "/api/groups/{group_id}/publish",
        "Publish records to the members of a group, as the application would.",
        Sent, _publish_to_group, body=Publish, parameters=(_GROUP,),
    ),
    Operation(
        "POST", "/api/users/{user_id}/publish",
        "Publish records to one user, as the application would.",
        Sent, _publish_to_user, body=Publish, parameters=(_USER,),
    ),
    Operation(
        "POST", "/api/notice", "Show a notice to everybody who is online.", Sent, _notice,
        body=Notice,
    ),
    Operation(
        "POST", "/api/users/{user_id}/disconnect",
        "Hang up all connections of a user, on all nodes; who returns is looked up afresh.",
        Sent, _disconnect, parameters=(_USER,),
    ),
    Operation(
        "PUT", "/api/users/{user_id}/groups",
        "Put a user into these groups and no others, on all nodes and for the next visit.",
        Moved, _replace_groups, body=Groups, parameters=(_USER,),
    ),
    Operation(
        "POST", "/api/drain", "Go away as at SIGTERM: clients move to other nodes, then it ends.",
        Draining, _drain, status=202,
    ),
)  # fmt: skip


def _id(request: web.Request, name: str) -> Id:
    found = read_id(request.match_info[name])
    if found is None:
        raise CannotDo(400, f"{name} must be a whole number, or have {ID_CHARACTERS}")
    return found


def _number(name: str, text: str, highest: int) -> int:
    # Python would read 4,300 digits, at a price.
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(highest))
    if not is_number or not 1 <= int(text) <= highest:
        raise CannotDo(400, f"{name} must be a whole number from 1 to {highest}")
    return int(text)


async def _body(request: web.Request, kind: type[T]) -> T:
    """Read and check what was sent.

    Raises:
        CannotDo: If it is something else.
    """
    if request.content_type != "application/json":
        raise CannotDo(415, "the body must be application/json")
    try:
        return msgspec.json.decode(await in_time(request.read()), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # msgspec names places and types, and quotes nothing but names of fields.
        raise CannotDo(400, f"the body is not what is expected: {error}") from error


async def _serve(operator: Operator, operation: Operation, request: web.Request) -> web.Response:
    result = await operation.handle(operator, request)
    return web.Response(
        body=msgspec.json.encode(result),
        status=operation.status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def add_api(app: web.Application, operator: Operator) -> None:
    """Add all operations.

    Args:
        app: Gets the routes; its middlewares ask who may, and answer what cannot be done.
        operator: The server.
    """
    for operation in OPERATIONS:
        app.router.add_route(
            operation.method,
            operation.path,
            partial(_serve, operator, operation),
        )
