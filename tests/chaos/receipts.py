"""What one client received, and what it was told about the rest. Pure: no clock, no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.chaos.ledger import STAYS_MS, Audience
from tests.chaos.offsets import Offset, Trail

if TYPE_CHECKING:
    from tests.chaos.ledger import Message


GRACE_MS: Final = 250.0
"""A server may not know yet what happened this short before it answered CONNECT."""


@dataclass(slots=True)
class Return:
    """A connection after the first one, and what the server said about the time between.

    Attributes:
        at_ms: When the server answered CONNECT. All times are milliseconds since 1970.
        since_ms: When the event was appended that the client had seen last.
        recovered: Whether the client was told that it misses nothing.
        upto_ms: Up to when that must be true: for all that was published before the return, and
            for all before the position that it was told. None if it was cut before that.
    """

    at_ms: float
    since_ms: float
    recovered: bool
    upto_ms: float | None = None

    def seeded(self, position_ms: float) -> None:
        """The server has sent what was missed, and has told where the client stands."""
        if self.upto_ms is None:
            self.upto_ms = max(position_ms, self.at_ms - GRACE_MS)

    def claims(self, message: Message) -> bool:
        """Whether the client was told that it has this message."""
        return (
            self.recovered
            and self.upto_ms is not None
            and self.since_ms < message.started_ms
            and message.returned_ms < self.upto_ms
        )

    def admits(self, message: Message) -> bool:
        """Whether the client was told that messages may be missing, this one among them."""
        return not self.recovered and self.since_ms < message.started_ms < self.at_ms


class Receipts:
    """The books of one client.

    Attributes:
        room: Where it is a member.
        delays_ms: From publishing to receiving, for what was published while it was connected.
        twice: Messages that had come before.
        late: Messages that came after a later one of their publisher.
        foreign: Messages of a room where it is no member.
        dismissed: How often the server sent it away for good, by DISCONNECT or CONNECT_ERROR.
        hung_up_ms: When the server ended its connections.
        is_warm: Whether a message of the warm-up has come.
    """

    def __init__(self, room: str) -> None:
        self.room = room
        self.trail = Trail()
        self.returns: list[Return] = []
        self.delays_ms: list[float] = []
        self.twice = self.late = self.foreign = self.dismissed = 0
        self.hung_up_ms: list[float] = []
        self.is_warm = False
        self._got: set[int] = set()
        self._highest: dict[str, int] = {}
        self._stays: list[tuple[float, float]] = []
        self._online_ms: float | None = None
        self._heard_ms: float | None = None

    @property
    def is_online(self) -> bool:
        """Whether it is connected now."""
        return self._online_ms is not None

    @property
    def received(self) -> int:
        """How many messages came, counting each time."""
        return len(self._got) + self.twice

    def connected(self, now_ms: float, *, recovered: bool) -> None:
        """The server has answered CONNECT."""
        self._online_ms = now_ms
        if self._heard_ms is not None:
            last = self.trail.last
            self.returns.append(Return(now_ms, last.ms if last else self._heard_ms, recovered))
            if last is None:  # a server whose offsets tell no time, and that sends no seed
                self.returns[-1].seeded(now_ms)
        self._heard_ms = now_ms

    def seeded(self, offset: Offset) -> None:
        """The server has told where the client stands, and has sent everything before that."""
        self.trail.seed(offset)
        if self.returns:
            self.returns[-1].seeded(offset.ms)

    def warm_up(self, offset: Offset | None) -> None:
        """A message has come that is in no ledger."""
        self.is_warm = True
        if offset is not None:
            self.trail.event(offset)

    def take(self, message: Message, now_ms: float, offset: Offset | None) -> None:
        """A message has come."""
        self._heard_ms = now_ms
        if offset is not None:
            self.trail.event(offset)
        if message.id in self._got:
            self.twice += 1
            return
        self._got.add(message.id)
        if message.number < self._highest.get(message.publisher, 0):
            self.late += 1
        else:
            self._highest[message.publisher] = message.number
        if self._online_ms is not None and self._online_ms < message.started_ms:
            self.delays_ms.append(now_ms - message.started_ms)

    def disconnected(self, now_ms: float, *, by_server: bool) -> None:
        """The connection has ended."""
        if self._online_ms is not None:
            self._stays.append((self._online_ms, now_ms))
            self._online_ms = None
            if by_server:
                self.hung_up_ms.append(now_ms)

    def has(self, message: Message) -> bool:
        """Whether it has come."""
        return message.id in self._got

    def is_owed(self, message: Message) -> bool:
        """Whether it must come, sooner or later."""
        if message.room != self.room or message.audience is Audience.NOBODY:
            return False
        return message.audience is Audience.MEMBERS or self._stayed_for(message)

    def _stayed_for(self, message: Message) -> bool:
        start_ms, end_ms = message.started_ms, message.started_ms + STAYS_MS
        if self._online_ms is not None and self._online_ms < start_ms:
            return True
        return any(came_ms < start_ms and end_ms < left_ms for came_ms, left_ms in self._stays)
