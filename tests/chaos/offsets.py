"""Offsets as a client sees them arrive: ``<epoch>:<ms>-<number>``, or anything of another server."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LAYOUT: Final = re.compile(r"([\w-]+):(\d+)-(\d+)")


class Offset(NamedTuple):
    """A place in the journal.

    Attributes:
        epoch: Name of the epoch.
        ms: When the entry was appended, in milliseconds since 1970 by the clock of Redis.
        number: Tells entries of one millisecond apart.
    """

    epoch: str
    ms: int
    number: int


def read(text: object) -> Offset | None:
    """Read an offset. None if it is not one of ours."""
    parts = _LAYOUT.fullmatch(text) if isinstance(text, str) else None
    return None if parts is None else Offset(parts[1], int(parts[2]), int(parts[3]))


class Trail:
    """The offsets of one client in the order of their arrival.

    Attributes:
        epochs: Names in the order of their first appearance.
        last: The latest offset.
        backwards: Offsets below the one before, or of an epoch that had ended.
        repeated: Events with the offset of the one before.
    """

    __slots__ = ("backwards", "epochs", "last", "repeated")

    def __init__(self) -> None:
        self.epochs: list[str] = []
        self.last: Offset | None = None
        self.backwards = 0
        self.repeated = 0

    def event(self, offset: Offset) -> None:
        """Take the offset of a message: it must be above all before it."""
        if offset == self.last:
            self.repeated += 1
        self.seed(offset)

    def seed(self, offset: Offset) -> None:
        """Take the offset of a seed: it may repeat the one before."""
        last, self.last = self.last, offset
        if last is None or offset.epoch != last.epoch:
            if offset.epoch in self.epochs:
                self.backwards += 1
            else:
                self.epochs.append(offset.epoch)
        elif offset < last:
            self.backwards += 1
