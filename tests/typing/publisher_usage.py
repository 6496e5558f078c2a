"""How applications use publisher, for mypy and pyright, both strict: this file is never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_type
from uuid import uuid4

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from publisher import (
    AsyncPublisher,
    ConfigError,
    InvalidMessage,
    Publisher,
    PublishError,
    RedisRefused,
    RedisUnavailable,
    ReplyLost,
    loomio,
)
from publisher.batch import Batch
from publisher.hocuspocus import EditableType, authorize
from publisher.serializers import Attribute, Attributes, HasOne, Hidden, Serializer

if TYPE_CHECKING:
    from publisher.records import Records


@dataclass
class Member:
    """A user as an application has it, with more than we read."""

    id: int
    name: str
    email: str


@dataclass
class Keyed:
    """A user whose id is a text."""

    id: str
    name: str


class Base(DeclarativeBase):
    """Of the tables."""


class Account(Base):
    """A user as SQLAlchemy has it."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str | None]


def blocking(env: dict[str, str], member: Member, keyed: Keyed) -> None:
    """Each method of Publisher, with the types that it promises."""
    with Publisher.from_env(env) as publisher:
        assert_type(publisher, Publisher)
        assert_type(publisher.publish_records({"events": [{"id": 1}]}, group_id=7), int)
        assert_type(publisher.publish_records(None, user_id=45), int)
        assert_type(publisher.publish_records(None, group_id="team-1"), int)
        assert_type(publisher.publish_records({}, group_ids=[1, "a"], user_ids={uuid4()}), int)
        assert_type(publisher.publish_models([], group_id=uuid4(), omit_empty=True), int)
        assert_type(publisher.ping(), float)
        assert_type(publisher.replace_groups("3f2a-7", ["team-1", 2]), int)
        assert_type(publisher.publish_system_notice(None), int)
        assert_type(publisher.publish_system_notice("Hi", version="3", reload=True), int)
        assert_type(publisher.tokens.issue(member, group_ids=[1, 2]), str)
        assert_type(publisher.tokens.issue({"id": 1, "name": "Ann"}, group_ids=(), ttl=None), str)
        assert_type(publisher.tokens.issue(Account(id=1), group_ids=[]), str)
        assert_type(publisher.tokens.issue(keyed, group_ids=["team-1"]), str)
        assert_type(publisher.tokens.issue(member, group_ids={1}, token="t", ttl=60), str)
        assert_type(publisher.tokens.revoke("t"), bool)
    Publisher.from_url("redis://localhost", token_ttl=None, pool_size=5, timeout_s=1).close()


async def asynchronous(env: dict[str, str], member: Member) -> None:
    """Each method of AsyncPublisher, with the types that it promises."""
    async with AsyncPublisher.from_env(env) as publisher:
        assert_type(publisher, AsyncPublisher)
        assert_type(await publisher.publish_records({"events": []}, group_id=7), int)
        assert_type(await publisher.publish_system_notice("Hi", version="3", reload=True), int)
        assert_type(await publisher.tokens.issue(member, group_ids=[1, 2], ttl=None), str)
        assert_type(await publisher.tokens.revoke("t"), bool)
    await AsyncPublisher.from_url("unix:///run/redis.sock", timeout_s=0.5).close()


def wrong(publisher: Publisher, member: Member) -> None:
    """What both must refuse; an ignore that is not needed is an error, too."""
    publisher.publish_records([1])  # type: ignore[arg-type]
    publisher.publish_records({}, group_id=7.0)  # type: ignore[arg-type]
    publisher.publish_records({}, 7)  # type: ignore[call-arg]
    publisher.tokens.issue(member)  # type: ignore[call-arg]
    publisher.tokens.issue(object(), group_ids=[])  # type: ignore[arg-type]
    publisher.tokens.issue(member, group_ids=[], ttl="60")  # type: ignore[arg-type]


def caught(publisher: Publisher) -> None:
    """Every error has a place where it is told apart."""
    try:
        publisher.publish_records({"events": []}, user_id=1)
    except InvalidMessage as error:
        assert_type(error.field, str)
    except ConfigError as error:
        assert_type(error.problems, tuple[str, ...])
    except ReplyLost as error:
        assert_type(error.maybe_sent, bool)
    except RedisUnavailable as error:
        assert_type(error.reason, str)
    except RedisRefused as error:
        assert_type(error.code, str)
    except PublishError as error:
        assert_type(error.maybe_sent, bool)


class NoteSerializer(Serializer[Member], model="Member"):
    """A serializer is a declaration."""

    attributes = Attributes("id", "name", "shout")
    hidden = Hidden("name", when=lambda member, _: bool(member.email))
    shout = Attribute(get=lambda member, scope: member.name if scope.current_user_id else None)
    friend = HasOne(serializer="NoteSerializer", root="members")


def may_edit(user: Member, kind: EditableType, record_id: int) -> bool:
    """What an application decides itself."""
    return kind is EditableType.USER and user.id == record_id


def models(publisher: Publisher, member: Member) -> None:
    """Models, batches, record sets, and Loomio's own call sites."""
    assert_type(publisher.publish_models([member], group_id=7), int)
    assert_type(publisher.publish_models(member, serializer=NoteSerializer, user_id=1), int)
    with publisher.batch() as batch:
        assert_type(batch, Batch)
        batch.publish_models([member], user_id=1)
        loomio.tag_changed(batch, member)
    loomio.tag_changed(publisher, member)
    records: Records = {"comments": [{"id": 1, "body": "hello", "author_id": 7}]}
    publisher.publish_records(records, group_id=1)
    publisher.chatbots.publish({"server": "https://a.example", "channel": "#a:b"}, "<b>hi</b>")
    decision = authorize("5,s", "comment-1", find_user=lambda _: None, can_edit=may_edit)
    assert_type(decision.status, int)


def wrong_models(publisher: Publisher, asynchronous: AsyncPublisher, member: Member) -> None:
    """What both must refuse."""
    records: Records = {"comment": [{"id": 1}]}  # type: ignore[typeddict-unknown-key]
    comment: Records = {"comments": [{"body": "hello"}]}  # type: ignore[typeddict-item]
    text: Records = {"comments": [{"id": "1"}]}  # type: ignore[typeddict-item]
    publisher.publish_models([member], serializer=Member)  # type: ignore[arg-type]
    loomio.tag_changed(asynchronous, member)  # type: ignore[arg-type]
    del records, comment, text
