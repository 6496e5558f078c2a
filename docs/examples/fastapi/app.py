"""A forum that tells its pages at once: FastAPI, and people and comments in SQLite.

    pip install fastapi uvicorn sqlalchemy <the folder of channel_server>
    REDIS_URL=redis://localhost:6379/0 PORT=8000 python app.py

Everybody signs in with HTTP Basic: ann / ann-s-secret or ben / ben-s-secret.
"""

import hmac
import os
from datetime import UTC, datetime
from typing import Annotated

import uvicorn
from fastapi import Body, Depends, FastAPI, HTTPException, Path
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import JSON, ForeignKey, create_engine, select
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    mapped_column,
    relationship,
    sessionmaker,
)
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from publisher import Publisher
from publisher.hocuspocus import EditableType
from publisher.hocuspocus.asgi import App as Hocuspocus
from publisher.serializers import Attributes, HasOne, Serializer
from publisher.sqlalchemy import batch_after_commit


class Base(DeclarativeBase):
    """Of all tables."""


class User(Base):
    """Somebody, and the groups that they are in."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    secret_token: Mapped[str]
    group_ids: Mapped[list[int]] = mapped_column(JSON)


class Comment(Base):
    """Something that was said in a group."""

    __tablename__ = "comments"
    id: Mapped[int] = mapped_column(primary_key=True)
    group_id: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    author: Mapped[User] = relationship()


class AuthorSerializer(Serializer[User], model=User):
    """Of a user, only what everybody may see: no secret."""

    attributes = Attributes("id", "name")


class CommentSerializer(Serializer[Comment], model=Comment):
    """A comment, and its author beside it."""

    attributes = Attributes("id", "group_id", "body", "created_at")
    author = HasOne(serializer=AuthorSerializer, root="users")


engine = create_engine(f"sqlite:///{os.environ.get('DATABASE', 'forum.sqlite3')}")
Base.metadata.create_all(engine)
new_session = sessionmaker(engine)
publisher = Publisher.from_env(os.environ)

with new_session.begin() as setup:
    for number, name, places in ((1, "ann", [1, 2]), (2, "ben", [2, 3])):
        secret = f"{name}-s-secret"
        setup.merge(User(id=number, name=name, secret_token=secret, group_ids=places))


def signed_in(login: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> User:
    """Who asks."""
    with new_session() as session:
        user = session.scalar(select(User).where(User.name == login.username))
    known = "" if user is None else user.secret_token
    if user is None or not hmac.compare_digest(known.encode(), login.password.encode()):
        raise HTTPException(401)
    return user


SignedIn = Annotated[User, Depends(signed_in)]


def boot(user: SignedIn) -> dict[str, str]:
    """What a page needs to connect."""
    token = publisher.tokens.issue(user, group_ids=user.group_ids)
    return {"channel_token": token, "user_secret": f"{user.id},{user.secret_token}"}


def create_comment(
    user: SignedIn,
    group_id: Annotated[int, Path(lt=10**9)],
    body: Annotated[str, Body(embed=True, min_length=1)],
) -> dict[str, int]:
    """Say something in a group: all its pages have it at once."""
    if group_id not in user.group_ids:
        raise HTTPException(404)
    with new_session() as session:
        comment = Comment(group_id=group_id, author_id=user.id, body=body)
        session.add(comment)
        session.flush()
        with batch_after_commit(publisher, session) as batch:
            batch.publish_models([comment], group_id=group_id)
        session.commit()
        return {"id": comment.id}


def load(kind: type[Base], number: int) -> Base | None:
    """A row by its id."""
    with new_session() as session:
        return session.get(kind, number)


async def find_user(user_id: int) -> Base | None:
    """For the collaboration server; not in the event loop, which has other things to do."""
    return await run_in_threadpool(load, User, user_id)


async def can_edit(user: User, kind: EditableType, record_id: int) -> bool:
    """Comments are edited by who has written them."""
    if kind is not EditableType.COMMENT:
        return False
    comment = await run_in_threadpool(load, Comment, record_id)
    return isinstance(comment, Comment) and comment.author_id == user.id


app = FastAPI(routes=[Route("/api/hocuspocus", Hocuspocus(find_user, can_edit))])
app.get("/boot")(boot)
app.post("/groups/{group_id}/comments", status_code=201)(create_comment)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
