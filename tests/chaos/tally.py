"""The result of one run: every (client, message) pair, counted. Pure."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.chaos.ledger import Ledger, Message
    from tests.chaos.receipts import Receipts


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Numbers over all clients and messages.

    Attributes:
        messages: Messages whose call returned.
        owed: (client, message) pairs that must be delivered.
        delivered: Those of them that were.
        received: Messages received, counting each time.
        twice: Of these, repetitions.
        late: Messages that came after a later one of their publisher.
        foreign: Messages of a room where the client is no member.
        backwards: Offsets that were not above the one before, see ``Trail``.
        repeated: Events with the offset of the one before.
        recovered: Returns that the client took for recovered.
        unrecovered: Returns that it did not.
        admitted: Published pairs that are missing, owed or not, and were said to be.
        concealed: Published pairs that are missing although the client was told that it has
            everything up to a later time.
        unnoticed: Published pairs that are missing without a word: the client was connected.
        dismissed: Clients sent away for good.
        hung_up: Connections that the server ended.
        p99_ms: From publishing to receiving, for clients that were connected all the time.
        max_ms: The longest of these.
    """

    messages: int
    owed: int
    delivered: int
    received: int
    twice: int
    late: int
    foreign: int
    backwards: int
    repeated: int
    recovered: int
    unrecovered: int
    admitted: int
    concealed: int
    unnoticed: int
    dismissed: int
    hung_up: int
    p99_ms: float
    max_ms: float


def is_complete(ledger: Ledger, crowd: Sequence[Receipts]) -> bool:
    """Whether everything that is owed has come."""
    published = ledger.published
    return all(
        receipts.has(message) or not receipts.is_owed(message)
        for receipts in crowd
        for message in published
    )


def count(ledger: Ledger, crowd: Sequence[Receipts]) -> Tally:
    """Close the books."""
    published = ledger.published
    delays_ms = sorted(chain.from_iterable(receipts.delays_ms for receipts in crowd))
    returns = [one for receipts in crowd for one in receipts.returns]
    missing = [
        (receipts, message)
        for receipts in crowd
        for message in published
        if message.room == receipts.room and not receipts.has(message)
    ]
    fates = Counter(_fate(receipts, message) for receipts, message in missing)
    owed = sum(receipts.is_owed(message) for receipts in crowd for message in published)
    return Tally(
        messages=len(published),
        owed=owed,
        delivered=owed - sum(receipts.is_owed(message) for receipts, message in missing),
        received=sum(receipts.received for receipts in crowd),
        twice=sum(receipts.twice for receipts in crowd),
        late=sum(receipts.late for receipts in crowd),
        foreign=sum(receipts.foreign for receipts in crowd),
        backwards=sum(receipts.trail.backwards for receipts in crowd),
        repeated=sum(receipts.trail.repeated for receipts in crowd),
        recovered=sum(one.recovered for one in returns),
        unrecovered=sum(not one.recovered for one in returns),
        admitted=fates[_Fate.ADMITTED],
        concealed=fates[_Fate.CONCEALED],
        unnoticed=fates[_Fate.UNNOTICED],
        dismissed=sum(receipts.dismissed for receipts in crowd),
        hung_up=sum(len(receipts.hung_up_ms) for receipts in crowd),
        p99_ms=delays_ms[len(delays_ms) * 99 // 100] if delays_ms else 0.0,
        max_ms=delays_ms[-1] if delays_ms else 0.0,
    )


class _Fate(enum.Enum):
    """What became of a pair that is missing; the attributes of ``Tally`` explain the names."""

    CONCEALED = enum.auto()
    ADMITTED = enum.auto()
    UNNOTICED = enum.auto()


def _fate(receipts: Receipts, message: Message) -> _Fate:
    if any(one.claims(message) for one in receipts.returns):
        return _Fate.CONCEALED
    if any(one.admits(message) for one in receipts.returns):
        return _Fate.ADMITTED
    return _Fate.UNNOTICED
