"""A forum that tells its pages at once: aiohttp, and people and comments in memory.

    pip install aiohttp <the folder of channel_server>
    REDIS_URL=redis://localhost:6379/0 PORT=8000 python app.py

Everybody signs in with HTTP Basic: ann / ann-s-secret or ben / ben-s-secret.
"""

import hmac
import itertools
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import aiohttp
from aiohttp import web

from publisher import AsyncPublisher
from publisher.hocuspocus import EditableType
from publisher.hocuspocus.aiohttp import handler
from publisher.serializers import Attributes, HasOne, Serializer


@dataclass
class User:
    """Somebody, and the groups that they are in."""

    id: int
    name: str
    secret_token: str
    group_ids: tuple[int, ...]


@dataclass
class Comment:
    """Something that was said in a group."""

    id: int
    group_id: int
    author: User
    body: str
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class AuthorSerializer(Serializer[User], model=User):
    """Of a user, only what everybody may see: no secret."""

    attributes = Attributes("id", "name")


class CommentSerializer(Serializer[Comment], model=Comment):
    """A comment, and its author beside it."""

    attributes = Attributes("id", "group_id", "body", "created_at")
    author = HasOne(serializer=AuthorSerializer, root="users")


USERS = {
    user.id: user
    for user in (User(1, "ann", "ann-s-secret", (1, 2)), User(2, "ben", "ben-s-secret", (2, 3)))
}
COMMENTS: dict[int, Comment] = {}
PUBLISHER = web.AppKey("publisher", AsyncPublisher)

new_id = itertools.count(1)
routes = web.RouteTableDef()


def signed_in(request: web.Request) -> User:
    """Who asks."""
    try:
        login = aiohttp.BasicAuth.decode(request.headers["Authorization"])
    except (KeyError, ValueError):
        raise web.HTTPUnauthorized from None
    for user in USERS.values():
        is_secret = hmac.compare_digest(user.secret_token.encode(), login.password.encode())
        if user.name == login.login and is_secret:
            return user
    raise web.HTTPUnauthorized


@routes.get("/boot")
async def boot(request: web.Request) -> web.Response:
    """What a page needs to connect."""
    user = signed_in(request)
    token = await request.app[PUBLISHER].tokens.issue(user, group_ids=user.group_ids)
    return web.json_response(
        {"channel_token": token, "user_secret": f"{user.id},{user.secret_token}"}
    )


@routes.post(r"/groups/{group_id:\d{1,9}}/comments")
async def create_comment(request: web.Request) -> web.Response:
    """Say something in a group: all its pages have it at once."""
    user = signed_in(request)
    group_id = int(request.match_info["group_id"])
    if group_id not in user.group_ids:
        raise web.HTTPNotFound
    try:
        body = (await request.json())["body"]
    except (ValueError, TypeError, KeyError):
        body = None
    if not isinstance(body, str) or not body:
        raise web.HTTPBadRequest(text="body is missing")
    comment = Comment(next(new_id), group_id, user, body)
    COMMENTS[comment.id] = comment
    await request.app[PUBLISHER].publish_models([comment], group_id=group_id)
    return web.json_response({"id": comment.id}, status=201)


def can_edit(user: User, kind: EditableType, record_id: int) -> bool:
    """Comments are edited by who has written them."""
    comment = COMMENTS.get(record_id) if kind is EditableType.COMMENT else None
    return comment is not None and comment.author is user


async def publisher_of(app: web.Application) -> AsyncIterator[None]:
    """One publisher, as long as the application runs."""
    async with AsyncPublisher.from_env(os.environ) as app[PUBLISHER]:
        yield


def make_app() -> web.Application:
    """Put the parts together."""
    app = web.Application()
    app.cleanup_ctx.append(publisher_of)
    app.add_routes(routes)
    app.router.add_post("/api/hocuspocus", handler(USERS.get, can_edit))
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
