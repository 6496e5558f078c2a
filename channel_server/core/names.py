"""Names of things: rooms, users, groups. The only place that builds a room name."""

from __future__ import annotations

from typing import Final, NewType

from publisher import contract

Room = NewType("Room", str)
UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
"""As ``publisher.contract.ids`` writes them: the number 7 and the text "7" are the same."""

_USER: Final = contract.user_room("")

NOTICE: Final = Room(contract.NOTICE_ROOM)
"""Every client is in it; nobody publishes records to it."""


def user_room(user_id: UserId) -> Room:
    """Room of all sockets of one user."""
    return Room(contract.user_room(user_id))


def group_room(group_id: GroupId) -> Room:
    """Room of the members of one group who are online."""
    return Room(contract.group_room(group_id))


def is_user_room(room: Room) -> bool:
    """Whether it is a user's own room."""
    return room.startswith(_USER)


def user_id_of(room: Room) -> UserId | None:
    """Whose room it is; None if it is no user's."""
    return UserId(room.removeprefix(_USER)) if is_user_room(room) else None
