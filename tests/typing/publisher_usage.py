"""How applications use publisher, for mypy --strict only: this file is never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_type

from publisher import (
    AsyncPublisher,
    ConfigError,
    InvalidMessage,
    Publisher,
    PublishError,
    RedisRefused,
    RedisUnavailable,
    ReplyLost,
)


@dataclass
class Member:
    """A user as an application has it, with more than we read."""

    id: int
    name: str
    email: str


def blocking(env: dict[str, str], member: Member) -> None:
    """Each method of Publisher, with the types that it promises."""
    with Publisher.from_env(env) as publisher:
        assert_type(publisher, Publisher)
        assert_type(publisher.publish_records({"events": [{"id": 1}]}, group_id=7), int)
        assert_type(publisher.publish_records(None, user_id=45), int)
        assert_type(publisher.publish_system_notice(None), int)
        assert_type(publisher.publish_system_notice("Hi", version="3", reload=True), int)
        assert_type(publisher.tokens.issue(member, group_ids=[1, 2]), str)
        assert_type(publisher.tokens.issue({"id": 1, "name": "Ann"}, group_ids=(), ttl=None), str)
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
    """What mypy must refuse; an ignore that is not needed is an error, too."""
    publisher.publish_records([1])  # type: ignore[arg-type]
    publisher.publish_records({}, group_id="7")  # type: ignore[arg-type]
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
