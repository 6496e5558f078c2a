"""Offsets: where in the journal a client stands.

An offset is ``<epoch>:<milliseconds>-<number>``: the name of the epoch, and the id that Redis
gave the entry in the stream. Clients send them back, so anything can be in one.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NUMBER_BITS: Final = 64
_LAYOUT: Final = re.compile(r"([A-Za-z0-9_-]{1,32}):([0-9]{1,15})-([0-9]{1,10})")


class Offset(NamedTuple):
    """A place in one epoch of the journal.

    Attributes:
        epoch: Name of the epoch.
        position: Stream id as one number, see ``position_of``.
    """

    epoch: str
    position: int

    def __str__(self) -> str:
        """As clients get it."""
        return f"{self.epoch}:{id_of(self.position)}"


def read(text: object) -> Offset | None:
    """Read what a client claims as its offset. None for everything that cannot be one."""
    parts = _LAYOUT.fullmatch(text) if isinstance(text, str) else None
    if parts is None:
        return None
    epoch, milliseconds, number = parts.groups()
    return Offset(epoch, (int(milliseconds) << _NUMBER_BITS) | int(number))


def position_of(stream_id: bytes) -> int:
    """Stream id as one number that grows as the ids do.

    Raises:
        ValueError: If it is no stream id.
    """
    # 0.4 µs; with a regular expression it were 1.1.
    milliseconds, _, number = stream_id.partition(b"-")
    return (int(milliseconds) << _NUMBER_BITS) | int(number)


def id_of(position: int) -> str:
    """The stream id of a position."""
    return f"{position >> _NUMBER_BITS}-{position & ((1 << _NUMBER_BITS) - 1)}"


def milliseconds_of(position: int) -> int:
    """When an entry was appended: milliseconds since 1970, by the clock of Redis."""
    return position >> _NUMBER_BITS


def position_at(milliseconds: int) -> int:
    """The first position of a millisecond."""
    return milliseconds << _NUMBER_BITS
