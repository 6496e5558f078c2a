"""Who is in which room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from channel_server.core.names import Room

M = TypeVar("M")


class Rooms(Generic[M]):
    """Membership, indexed both ways so that every change costs O(rooms of that member).

    Invariants, which ``tests/property/test_rooms.py`` checks after every step:

    - ``m in members(r)`` exactly when ``r in rooms(m)``;
    - no empty set is ever stored, so memory follows the present, not the past.
    """

    __slots__ = ("_members", "_rooms")

    def __init__(self) -> None:
        self._members: dict[Room, set[M]] = {}
        # A tuple, not a set: 5 rooms take 80 bytes instead of 728, and a client has few.
        self._rooms: dict[M, tuple[Room, ...]] = {}

    def join(self, member: M, rooms: Iterable[Room]) -> None:
        """Add a member to rooms; those it is in already stay as they are."""
        mine = self._rooms.get(member, ())
        added = tuple(room for room in dict.fromkeys(rooms) if room not in mine)
        if not added:
            return
        self._rooms[member] = mine + added
        for room in added:
            self._members.setdefault(room, set()).add(member)

    def leave(self, member: M, rooms: Iterable[Room]) -> None:
        """Remove a member from rooms; those it is not in are ignored."""
        gone = set(rooms)
        mine = self._rooms.get(member, ())
        rest = tuple(room for room in mine if room not in gone)
        if rest:
            self._rooms[member] = rest
        else:
            self._rooms.pop(member, None)
        for room in mine:
            if room in gone:
                self._remove(member, room)

    def drop(self, member: M) -> None:
        """Remove a member everywhere."""
        for room in self._rooms.pop(member, ()):
            self._remove(member, room)

    def _remove(self, member: M, room: Room) -> None:
        others = self._members[room]
        others.discard(member)
        if not others:
            del self._members[room]

    def members(self, room: Room) -> AbstractSet[M]:
        """Members right now: a live view, valid until the next change."""
        return self._members.get(room, frozenset())

    def rooms(self, member: M) -> tuple[Room, ...]:
        """Rooms of one member, in the order it joined them."""
        return self._rooms.get(member, ())

    def __iter__(self) -> Iterator[Room]:
        """The rooms that have a member."""
        return iter(self._members)

    def __len__(self) -> int:
        """Count the rooms that have a member."""
        return len(self._members)
