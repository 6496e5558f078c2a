"""The recent past of one node: what was delivered, in order, and what a client has missed of it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import TYPE_CHECKING, Final, cast

import msgspec

from channel_server.core.offsets import Offset, milliseconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_server.core.names import Room

_EPOCHS_KEPT: Final = 16
_QUARTER: Final = 4
_POSITION_BITS: Final = 128
_POSITION: Final = (1 << _POSITION_BITS) - 1
_OVERHEAD_BYTES: Final = 250
"""Memory of an entry beside its frame."""


class Entry(msgspec.Struct, eq=False, gc=False):
    """One broadcast of the past.

    Attributes:
        key: Place in the order of all entries, over all epochs.
        room: Who may see it.
        frame: The WebSocket frame that was written to the members, offset included.
    """

    key: int
    room: Room
    frame: bytes


class _Lane:
    """The entries of one room, in order: a list of which the first ``head`` are gone."""

    __slots__ = ("entries", "head")

    def __init__(self) -> None:
        self.entries: list[Entry | None] = []
        self.head = 0

    def drop_oldest(self) -> bool:
        """Drop one. Return whether any is left."""
        self.entries[self.head] = None
        self.head += 1
        if self.head == len(self.entries):
            return False
        if 2 * self.head > len(self.entries):
            del self.entries[: self.head]
            self.head = 0
        return True

    def after(self, start: int, limit: int) -> list[Entry]:
        """The first entries behind a key."""
        first = bisect_right(self.entries, start, self.head, key=_key_of)
        return cast("list[Entry]", self.entries[first : first + limit])


class Tail:
    """The end of the journal in memory, bounded by age, number and bytes.

    Invariants, which ``tests/property/test_journal.py`` checks against a model:

    - entries are kept in ascending order of (epoch, position), each in its room's list, too;
    - an offset is ``covered`` only if every entry after it that this node has seen is still here,
      its epoch is the current one, and no gap and no beginning lies after it.

    Args:
        window_s: Entries older than this are dropped; 0 keeps none.
        max_entries: How many are kept at most.
        max_bytes: How much memory they may take, roughly.

    Attributes:
        epoch: Name of the current epoch; empty until one has begun.
        epoch_name: The same in bytes.
        position: Where this node stands in it: everything up to here was delivered.
        complete_from: Key from which on nothing is missing.
    """

    def __init__(self, *, window_s: float, max_entries: int, max_bytes: int) -> None:
        self._window_ms = round(window_s * 1000)
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._entries: deque[Entry] = deque()
        self._rooms: dict[Room, _Lane] = {}
        self._bytes = 0
        self._ordinals: dict[str, int] = {}
        self._base = 0
        self.complete_from = 0
        self._text_of = ("", 0)
        self._text = ""
        self.epoch = ""
        self.epoch_name = b""
        self.position = 0

    @property
    def offset_text(self) -> str:
        """``offset`` as clients get it; empty before the first epoch."""
        if self._text_of != (self.epoch, self.position):
            self._text_of = (self.epoch, self.position)
            self._text = str(Offset(self.epoch, self.position)) if self.epoch else ""
        return self._text

    @property
    def offset(self) -> Offset | None:
        """Where a client stands that has everything; None before the first epoch."""
        return Offset(self.epoch, self.position) if self.epoch else None

    def begin(self, epoch: str, position: int) -> None:
        """Begin a new epoch; to begin the current one again changes nothing but the place.

        Args:
            epoch: Its name.
            position: Where this node stands in it.
        """
        if epoch != self.epoch:
            self.epoch = epoch
            self.epoch_name = epoch.encode()
            self.position = 0
            self._ordinals.pop(epoch, None)
            self._ordinals[epoch] = max(self._ordinals.values(), default=0) + 1
            self._base = self._ordinals[epoch] << _POSITION_BITS
            while len(self._ordinals) > _EPOCHS_KEPT:
                del self._ordinals[next(iter(self._ordinals))]
            self.complete_from = self._key(Offset(epoch, 0))
        self.position = max(self.position, position)

    def advance(self, position: int) -> None:
        """An entry that concerns no client lies there."""
        self.position = position

    def gap(self, position: int) -> None:
        """Before this place messages may be missing: no offset before it is covered."""
        self.position = max(self.position, position)
        self.complete_from = max(self.complete_from, self._key(Offset(self.epoch, position)))

    def append(self, position: int, room: Room, frame: bytes) -> None:
        """Keep a broadcast, at a position above all before it. By age, ``trim`` drops."""
        self.position = position
        entry = Entry(self._base | position, room, frame)
        self._entries.append(entry)
        lane = self._rooms.get(room)
        if lane is None:
            self._rooms[room] = lane = _Lane()
        lane.entries.append(entry)
        self._bytes += len(frame) + _OVERHEAD_BYTES
        while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
            self._drop_oldest()

    def trim(self, now_ms: int) -> None:
        """Drop what is too old.

        Args:
            now_ms: By the clock of Redis.
        """
        oldest_ms = now_ms - self._window_ms
        while self._entries and milliseconds_of(self._entries[0].key & _POSITION) < oldest_ms:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        entry = self._entries.popleft()
        self._bytes -= len(entry.frame) + _OVERHEAD_BYTES
        if not self._rooms[entry.room].drop_oldest():
            del self._rooms[entry.room]
        self.complete_from = max(self.complete_from, entry.key)

    def trimmed(self, position: int) -> None:
        """Entries up to here are gone from the stream; those that we still have do no harm."""
        if position > self.position:
            self.gap(position)

    def covers(self, offset: Offset) -> bool:
        """Tell whether a client at this offset can be given all it has missed."""
        return (
            offset.epoch == self.epoch != ""
            and offset.position <= self.position
            and self._key(offset) >= self.complete_from
        )

    def is_ahead(self, offset: Offset) -> bool:
        """Tell whether an offset lies after everything this node knows of."""
        return offset.epoch not in self._ordinals or (
            offset.epoch == self.epoch and offset.position > self.position
        )

    def start_of(self, offset: Offset) -> int:
        """From an offset to the key behind which its client has to be served.

        An offset of an epoch that this node does not know is taken for the beginning of the
        current one; one above everything in its epoch for the end of it.
        """
        if offset.epoch not in self._ordinals:
            return self._key(Offset(self.epoch, 0)) if self.epoch else 0
        return self._key(offset)

    def missed(self, rooms: Iterable[Room], start: int, limit: int) -> list[Entry]:
        """The first entries after a key that members of these rooms may see, in order.

        Args:
            rooms: Named once or more.
            start: The key.
            limit: How many at most. If so many come, there may be more.
        """
        found: list[Entry] = []
        for room in set(rooms):
            lane = self._rooms.get(room)
            if lane is not None:
                found += lane.after(start, limit)
        found.sort(key=_key_of)
        return found[:limit]

    def last_key(self, room: Room) -> int:
        """Key of the newest entry for a room that is still here, 0 if there is none."""
        lane = self._rooms.get(room)
        return _key_of(lane.entries[-1]) if lane is not None else 0

    def is_turning_over(self, since: int) -> bool:
        """Whether a quarter of what can be kept has come after a key.

        Who is told where it stands after a quarter, if it was told nothing in the quarter before,
        is always told before the journal has forgotten its place.
        """
        entries = self._entries
        by_size = len(entries) * self._max_bytes // (_QUARTER * self._bytes) if entries else 0
        count = max(1, min(self._max_entries // _QUARTER, by_size))
        return len(entries) >= count and entries[-count].key > since

    @property
    def key(self) -> int:
        """Key of the place where this node stands; 0 before the first epoch."""
        return self._base | self.position if self.epoch else 0

    @property
    def complete_from_position(self) -> int:
        """Position of ``complete_from``: of what lies before it, this node has nothing any more."""
        return self.complete_from & _POSITION

    def frames(self) -> dict[int, bytes]:
        """The frames by position, of all epochs: to recognise them in a stream that is read anew."""
        return {entry.key & _POSITION: entry.frame for entry in self._entries}

    @property
    def kept_bytes(self) -> int:
        """Memory that the entries take, roughly."""
        return self._bytes

    def __len__(self) -> int:
        return len(self._entries)

    def _key(self, offset: Offset) -> int:
        return (self._ordinals[offset.epoch] << _POSITION_BITS) | offset.position


def _key_of(entry: Entry | None) -> int:
    return entry.key if entry is not None else 0
