"""The two ways to publish: plain ``PUBLISH``, as Loomio does, and the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from publisher import Publisher, PublishError
from publisher.contract import RECORDS

if TYPE_CHECKING:
    from tests.chaos.ledger import Message

TIMEOUT_S: Final = 30.0
"""Longer than Redis is ever stopped, so that a call returns when it goes on."""

FAILURES: Final = (redis.RedisError, PublishError)
"""What ``send`` raises if it is not known to have published."""


class Way(Protocol):
    """One way to publish. It blocks."""

    name: str

    def send(self, message: Message, padding: int = 0) -> None:
        """Publish a message.

        Args:
            padding: Bytes to add to its body.
        """
        ...

    def close(self) -> None:
        """Close its connection."""
        ...


def body(message_id: int, publisher: str, number: int, padding: int = 0) -> dict[str, object]:
    """Records of one message."""
    event = {"id": message_id, "publisher": publisher, "n": number}
    return {"events": [event | {"body": "x" * padding} if padding else event]}


def plain_text(room: str, records: dict[str, object]) -> bytes:
    """What goes to the channel for records."""
    return orjson.dumps({"room": room, "records": records})


class Plain:
    """``PUBLISH``, which nobody keeps."""

    name = "plain"

    def __init__(self, url: str) -> None:
        self._redis = redis.Redis.from_url(
            url, protocol=2, socket_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )

    def send(self, message: Message, padding: int = 0) -> None:
        records = body(message.id, self.name, message.number, padding)
        self._redis.publish(RECORDS, plain_text(message.room, records))

    def close(self) -> None:
        self._redis.close()


class Lib:
    """``publisher.Publisher``."""

    name = "lib"

    def __init__(self, url: str) -> None:
        self._publisher = Publisher.from_url(url, timeout_s=TIMEOUT_S)

    def send(self, message: Message, padding: int = 0) -> None:
        records = body(message.id, self.name, message.number, padding)
        group_id = int(message.room.removeprefix("group-"))
        self._publisher.publish_records(records, group_id=group_id)

    def close(self) -> None:
        self._publisher.close()
