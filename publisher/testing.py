"""For the tests of applications: publishers that keep what they are told, and need no Redis.

With pytest, name the fixture you need in ``conftest.py``::

    from publisher.testing import recording_publisher

and write::

    def test_a_comment_is_announced(recording_publisher):
        create_comment("hello", publisher=recording_publisher)

        (records,) = recording_publisher.records("group-7")
        assert records["comments"][0]["body"] == "hello"

Everything is checked and serialised as by the real ones; only Redis is not there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from publisher.aio import AsyncPublisher
from publisher.client import Publisher
from publisher.contract import CURRENT_USERS, RECORDS, SYSTEM_NOTICE
from publisher.scripts import PUBLISH_BATCH
from publisher.settings import Settings
from publisher.token_scripts import ISSUE, REPLACE_GROUPS, REVOKE, REVOKE_USER


@dataclass(frozen=True, slots=True)
class Published:
    """One message.

    Attributes:
        channel: Redis channel.
        message: What was published.
    """

    channel: str
    message: dict[str, Any]


class Recording:
    """What was published, and which tokens are known."""

    def __init__(self, memory: _Memory) -> None:
        self._memory = memory

    @property
    def published(self) -> list[Published]:
        """Everything, in order."""
        return list(self._memory.published)

    def records(self, room: str | None) -> list[dict[str, Any]]:
        """The record sets that a room got, such as ``group-7``, in order."""
        found = (each.message for each in self.published if each.channel == RECORDS)
        return [message["records"] for message in found if message["room"] == room]

    @property
    def notices(self) -> list[dict[str, Any]]:
        """The system notices, in order."""
        return [each.message for each in self.published if each.channel == SYSTEM_NOTICE]

    @property
    def users(self) -> dict[str, dict[str, Any]]:
        """Who is let in, by channel token: ``name``, ``group_ids`` and ``id``."""
        return dict(self._memory.users)

    def clear(self) -> None:
        """Forget all of it."""
        self._memory.clear()


class RecordingPublisher(Recording, Publisher):
    """A ``Publisher`` that publishes nowhere."""

    def __init__(self) -> None:
        memory: Any = _Memory()
        Recording.__init__(self, memory)
        Publisher.__init__(self, Settings(journal=False), client=memory)


class AsyncRecordingPublisher(Recording, AsyncPublisher):
    """An ``AsyncPublisher`` that publishes nowhere."""

    def __init__(self) -> None:
        memory: Any = _AsyncMemory()
        Recording.__init__(self, memory)
        AsyncPublisher.__init__(self, Settings(journal=False), client=memory)


def _recording_publisher() -> RecordingPublisher:
    """A publisher that keeps what it is told."""
    return RecordingPublisher()


def _async_recording_publisher() -> AsyncRecordingPublisher:
    """The same for asyncio."""
    return AsyncRecordingPublisher()


try:
    import pytest
except ModuleNotFoundError:
    pass  # the publishers do without; only who names the fixtures needs it
else:
    recording_publisher = pytest.fixture(name="recording_publisher")(_recording_publisher)
    async_recording_publisher = pytest.fixture(name="async_recording_publisher")(
        _async_recording_publisher
    )


class _Memory:
    """What Redis would know, in place of a client of redis-py."""

    def __init__(self) -> None:
        self.published: list[Published] = []
        self.users: dict[str, dict[str, Any]] = {}

    def clear(self) -> None:
        """Forget all of it."""
        self.published.clear()
        self.users.clear()

    def execute_command(self, name: str, *words: Any) -> Any:
        """Do what a script of ``publisher.scripts``, or ``PUBLISH``, does; answer a ping."""
        if name == "PUBLISH":
            return self._publish(*words)
        if name == "EXISTS":
            return 0
        sha1, count, *rest = words
        keys, arguments = rest[: int(count)], rest[int(count) :]
        if sha1 == PUBLISH_BATCH.sha1:
            pairs = zip(arguments[4::2], arguments[5::2], strict=True)
            return ",".join(str(self._publish(*pair)) for pair in pairs)
        if sha1 == ISSUE.sha1:
            self.users[str(arguments[4])] = json.loads(arguments[5])
            return 1
        found = self._affected(sha1, keys, arguments)
        for token in found:
            if sha1 == REPLACE_GROUPS.sha1:
                self.users[token]["group_ids"] = json.loads(arguments[5])
            else:
                del self.users[token]
        heard = self._publish(arguments[0], arguments[1])
        is_about_tokens = sha1 in {REVOKE.sha1, REVOKE_USER.sha1, REPLACE_GROUPS.sha1}
        return len(found) if is_about_tokens else heard

    def _affected(self, sha1: object, keys: list[Any], arguments: list[Any]) -> list[str]:
        """Tokens that a script is about."""
        if sha1 == REVOKE.sha1:
            token = str(keys[3]).removeprefix(CURRENT_USERS)
            return [token] if token in self.users else []
        if sha1 in {REVOKE_USER.sha1, REPLACE_GROUPS.sha1}:
            user_id = str(arguments[4])
            return [token for token, user in self.users.items() if str(user["id"]) == user_id]
        return []

    def _publish(self, channel: Any, payload: Any) -> int:
        self.published.append(Published(str(channel), json.loads(payload)))
        return 1


class _AsyncMemory(_Memory):
    """The same for asyncio."""

    async def execute_command(self, name: str, *words: Any) -> Any:
        """As above."""
        return super().execute_command(name, *words)
