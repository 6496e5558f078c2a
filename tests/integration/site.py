"""What a Loomio site does to Redis: plain ``SET`` and ``PUBLISH``, as Rails does it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import redis

_ids: Final = itertools.count(50_001)
"""One for all tests of a session, which share a Redis: nobody hears another's records."""


class Account(NamedTuple):
    """A signed-in user.

    Attributes:
        token: Channel token.
        room: The user's own room.
    """

    token: str
    room: str


def new_id() -> int:
    """An id that no other user and no other group has."""
    return next(_ids)


class Site:
    """Publishes through one connection to Redis.

    Args:
        connection: A redis-py client; whoever made it closes it.
    """

    def __init__(self, connection: redis.Redis) -> None:
        self.redis = connection

    def sign_in(self, *group_ids: int) -> Account:
        """Store a new user."""
        user_id = new_id()
        token = f"token-{user_id}"
        user = {"name": f"User {user_id}", "group_ids": group_ids, "id": user_id}
        self.store(token, json.dumps(user).encode())
        return Account(token, f"user-{user_id}")

    def store(self, token: str, value: bytes) -> None:
        """Store anything where a user is expected."""
        self.redis.set(f"/current_users/{token}", value)

    def publish(self, room: object, body: object = "hi") -> bytes:
        """Publish one comment. Return the packet that clients of the room must get."""
        message = {"room": room, "records": {"comments": [{"id": 1, "body": body}]}}
        return self.publish_raw(json.dumps(message).encode())

    def publish_raw(self, payload: bytes) -> bytes:
        """Publish bytes to ``/records``. Return the packet that clients of the room must get."""
        self.redis.publish("/records", payload)
        return b'42["records",' + payload + b"]"

    def publish_notice(self, text: str = "Back in five minutes") -> bytes:
        """Publish a system notice. Return the packet that every client must get."""
        payload = json.dumps({"version": "3.0.12", "notice": text, "reload": False}).encode()
        return self.publish_notice_raw(payload)

    def publish_notice_raw(self, payload: bytes) -> bytes:
        """Publish bytes to ``/system_notice``. Return the packet that every client must get."""
        self.redis.publish("/system_notice", payload)
        return b'42["notice",' + payload + b"]"
