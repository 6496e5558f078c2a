"""What was published, when, and to whom it is owed. Pure: no clock, no network."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Audience(enum.Enum):
    """Who must receive a message, of the members of its room."""

    MEMBERS = enum.auto()
    """All of them, sooner or later."""
    ONLINE = enum.auto()
    """Those who are connected when it is published and stay for ``STAYS_MS``."""
    NOBODY = enum.auto()
    """It may be lost; whoever is told that nothing is missing must have it all the same."""


STAYS_MS = 1500.0
"""Longer than a server waits for its journal (1 s), so that one who stays is owed the message."""


@dataclass(slots=True, eq=False)
class Message:
    """One message on its way.

    Attributes:
        number: 1, 2, 3 … of its publisher.
        started_ms: When the call of the publisher began, in milliseconds since 1970.
        returned_ms: When it returned without an error; None if nobody knows what became of it:
            it may arrive, and is not missed if it does not.
    """

    id: int
    room: str
    publisher: str
    number: int
    started_ms: float
    audience: Audience
    returned_ms: float | None = None


class Ledger:
    """All messages of one run.

    Attributes:
        messages: In the order of their ids, which are 1, 2, 3 …
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._numbers: dict[str, int] = {}

    def begin(
        self, publisher: str, room: str, now_ms: float, audience: Audience = Audience.MEMBERS
    ) -> Message:
        """Note a message that is about to be published."""
        number = self._numbers[publisher] = self._numbers.get(publisher, 0) + 1
        message = Message(len(self.messages) + 1, room, publisher, number, now_ms, audience)
        self.messages.append(message)
        return message

    def find(self, message_id: int) -> Message | None:
        """The message with an id, None if it is not one of this run."""
        return self.messages[message_id - 1] if 0 < message_id <= len(self.messages) else None

    def excuse(self, since_ms: float) -> None:
        """What was published since then is owed only to those who were connected."""
        for message in self.messages:
            if message.started_ms > since_ms and message.audience is Audience.MEMBERS:
                message.audience = Audience.ONLINE

    @property
    def published(self) -> list[Message]:
        """Messages whose call returned."""
        return [message for message in self.messages if message.returned_ms is not None]
