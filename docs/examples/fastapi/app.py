"""A forum that tells its pages at once: FastAPI, async SQLAlchemy, UUIDs as keys, SQLite.

    pip install fastapi uvicorn 'sqlalchemy[asyncio]' aiosqlite <the folder of channel_server>
    REDIS_URL=redis://localhost:6379/0 PORT=8000 python app.py

Everybody signs in with HTTP Basic: ann / ann-s-secret or ben / ben-s-secret.
"""

import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID, uuid4

import uvicorn
from fastapi import Body, Depends, FastAPI, HTTPException, Path
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from sqlalchemy import JSON, ForeignKey, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.routing import Route

from publisher import AsyncPublisher
from publisher.hocuspocus import EditableType
from publisher.hocuspocus.asgi import App as Hocuspocus
from publisher.serializers import Attributes, HasOne, Serializer
from publisher.sqlalchemy import batch_after_commit


class Base(DeclarativeBase):
    """Of all tables."""


class User(Base):
    """Somebody, and the groups that they are in."""

    __tablename__ = "users"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(unique=True)
    secret_token: Mapped[str]
    group_ids: Mapped[list[int]] = mapped_column(JSON)


class Comment(Base):
    """Something that was said in a group."""

    __tablename__ = "comments"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    group_id: Mapped[int]
    author_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
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


engine = create_async_engine(f"sqlite+aiosqlite:///{os.environ.get('DATABASE', 'forum.sqlite3')}")
new_session = async_sessionmaker(engine, expire_on_commit=False)
publisher = AsyncPublisher.from_env(os.environ)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make what is missing; at the end, close what is open."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with new_session.begin() as session:
        if await session.scalar(select(User)) is None:
            for name, places in (("ann", [1, 2]), ("ben", [2, 3])):
                secret = f"{name}-s-secret"
                session.add(User(name=name, secret_token=secret, group_ids=places))
    yield
    await publisher.close()
    await engine.dispose()


async def signed_in(login: Annotated[HTTPBasicCredentials, Depends(HTTPBasic())]) -> User:
    """Who asks."""
    async with new_session() as session:
        user = await session.scalar(select(User).where(User.name == login.username))
    known = "" if user is None else user.secret_token
    if user is None or not hmac.compare_digest(known.encode(), login.password.encode()):
        raise HTTPException(401)
    return user


SignedIn = Annotated[User, Depends(signed_in)]


async def boot(user: SignedIn) -> dict[str, str]:
    """What a page needs to connect."""
    token = await publisher.tokens.issue(user, group_ids=user.group_ids)
    return {"channel_token": token, "user_secret": f"{user.id},{user.secret_token}"}


async def create_comment(
    user: SignedIn,
    group_id: Annotated[int, Path(lt=10**9)],
    body: Annotated[str, Body(embed=True, min_length=1)],
) -> dict[str, UUID]:
    """Say something in a group: all its pages have it at once."""
    if group_id not in user.group_ids:
        raise HTTPException(404)
    async with new_session() as session:
        comment = Comment(group_id=group_id, author=await session.merge(user), body=body)
        session.add(comment)
        await session.flush()  # it has an id now
        async with batch_after_commit(publisher, session) as batch:
            batch.publish_models([comment], group_id=group_id)
            await session.commit()
    return {"id": comment.id}


async def find_user(user_id: UUID) -> User | None:
    """For the collaboration server."""
    async with new_session() as session:
        return await session.get(User, user_id)


async def can_edit(user: User, kind: EditableType, record_id: UUID) -> bool:
    """Comments are edited by who has written them."""
    if kind is not EditableType.COMMENT:
        return False
    async with new_session() as session:
        comment = await session.get(Comment, record_id)
    return comment is not None and comment.author_id == user.id


hocuspocus = Hocuspocus(find_user, can_edit, id_type=UUID)
app = FastAPI(routes=[Route("/api/hocuspocus", hocuspocus)], lifespan=lifespan)
app.get("/boot")(boot)
app.post("/groups/{group_id}/comments", status_code=201)(create_comment)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
