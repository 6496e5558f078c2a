"""A forum that tells its pages at once: Flask, and people and comments in SQLite with SQLAlchemy.

    pip install flask sqlalchemy <the folder of channel_server>
    REDIS_URL=redis://localhost:6379/0 PORT=8000 python app.py

Everybody signs in with HTTP Basic: ann / ann-s-secret or ben / ben-s-secret.
"""

import hmac
import os
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, abort, request
from sqlalchemy import JSON, ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, sessionmaker

from publisher.flask import Channels
from publisher.hocuspocus import EditableType, authorize_request
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


app = Flask(__name__)
channels = Channels(app)  # REDIS_URL, as the server reads it; or CHANNEL_SERVER_URL in app.config
engine = create_engine(f"sqlite:///{os.environ.get('DATABASE', 'forum.sqlite3')}")
new_session = sessionmaker(engine)

Base.metadata.create_all(engine)
with new_session.begin() as setup:
    for number, name, places in ((1, "ann", [1, 2]), (2, "ben", [2, 3])):
        secret = f"{name}-s-secret"
        setup.merge(User(id=number, name=name, secret_token=secret, group_ids=places))


def signed_in() -> User:
    """Who asks."""
    try:
        login = request.authorization
    except ValueError:  # Werkzeug's, if there is no ASCII in the header
        login = None
    name, password = (login.username, login.password) if login else (None, None)
    with new_session() as session:
        user = session.scalar(select(User).where(User.name == name))
    known = "" if user is None else user.secret_token
    if user is None or not hmac.compare_digest(known.encode(), (password or "").encode()):
        abort(HTTPStatus.UNAUTHORIZED)
    return user


@app.get("/boot")
def boot() -> dict[str, str]:
    """What a page needs to connect."""
    user = signed_in()
    token = channels.publisher.tokens.issue(user, group_ids=user.group_ids)
    return {"channel_token": token, "user_secret": f"{user.id},{user.secret_token}"}


@app.post("/groups/<int:group_id>/comments")
def create_comment(group_id: int) -> tuple[dict[str, int], HTTPStatus]:
    """Say something in a group: all its pages have it at once."""
    user, document = signed_in(), request.get_json()
    body = document.get("body") if isinstance(document, dict) else None
    if group_id not in user.group_ids:
        abort(HTTPStatus.NOT_FOUND)
    if not isinstance(body, str) or not body:
        abort(HTTPStatus.BAD_REQUEST, "body is missing")
    with new_session() as session:
        comment = Comment(group_id=group_id, author_id=user.id, body=body)
        session.add(comment)
        session.flush()  # it has an id now
        with batch_after_commit(channels.publisher, session) as batch:
            batch.publish_models([comment], group_id=group_id)
        session.commit()
        return {"id": comment.id}, HTTPStatus.CREATED


@app.post("/api/hocuspocus")
def hocuspocus() -> tuple[str, int]:
    """Whether somebody may edit a document together with others."""
    decision = authorize_request(request.get_data(), find_user=find_user, can_edit=can_edit)
    return "", decision.status


def load(kind: type[Base], number: int) -> Any:
    """A row by its id."""
    with new_session() as session:
        return session.get(kind, number)


def find_user(user_id: int) -> User | None:
    """Somebody who may sign in."""
    found: User | None = load(User, user_id)
    return found


def can_edit(user: User, kind: EditableType, record_id: int) -> bool:
    """Comments are edited by who has written them."""
    if kind is not EditableType.COMMENT:
        return False
    comment = load(Comment, record_id)
    return comment is not None and bool(comment.author_id == user.id)


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))
