"""What one group is owed, and what of it one listener received. Pure: no clock, no network."""

from __future__ import annotations

import contextlib
import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Fault(enum.Enum):
    """What can be wrong with a message that did arrive; the value is the text in the report."""

    TWICE = "received twice"
    LATE = "received after a later one"


class Ledger:
    """Numbers of the messages published to one group: 1, 2, 3, and so on, by one publisher.

    Attributes:
        last: Number of the latest message; 0 before the first.
        unsure: Numbers that Redis has not confirmed, or not yet: they may arrive, but nobody is
            owed them.
    """

    def __init__(self) -> None:
        self.last = 0
        self.unsure: set[int] = set()

    @contextlib.contextmanager
    def publishing(self) -> Iterator[int]:
        """Take the next number. It counts as published if the block ends well."""
        self.last += 1
        number = self.last
        self.unsure.add(number)
        yield number
        # Not in a finally: if the block raised, nobody knows whether the message went out.
        self.unsure.discard(number)


class Receipts:
    """Numbers that one listener received, from the moment it joined.

    Args:
        ledger: Of the listener's group. What is published from now on is owed; what was under
            way already may arrive or not.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._first = self._next = ledger.last + 1
        self._skipped: set[int] = set()

    def take(self, number: int) -> Fault | None:
        """Note an arrival. Return what is wrong with it, if anything."""
        if number >= self._next:
            self._skipped.update(range(self._next, number))
            self._next = number + 1
            return None
        if number < self._first:
            return None
        if number in self._skipped:
            self._skipped.discard(number)
            return Fault.LATE
        return Fault.TWICE

    def owed(self) -> frozenset[int]:
        """Numbers that were published for sure and have not arrived: at the end, what is lost."""
        ahead = range(self._next, self._ledger.last + 1)
        return frozenset(self._skipped.union(ahead) - self._ledger.unsure)
