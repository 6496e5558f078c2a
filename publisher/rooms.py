"""To which rooms a message goes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from publisher.contract import group_room, user_room
from publisher.errors import InvalidMessage
from publisher.ids import checked_id, checked_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.contract.ids import Id
    from publisher.ids import AnyId


class Where(TypedDict, total=False):
    """To whom a message goes: one of these, or both lists.

    Attributes:
        group_id: A group. Wins if a user is named, too.
        user_id: A user.
        group_ids: Groups, a message for each; one that is named twice gets one.
        user_ids: Users, likewise.
        to_nobody: True where Loomio publishes to no room, for what has no group.
    """

    group_id: AnyId | None
    user_id: AnyId | None
    group_ids: Iterable[AnyId]
    user_ids: Iterable[AnyId]
    to_nobody: bool


class Rooms(NamedTuple):
    """Where a message goes.

    Attributes:
        group_ids: Groups.
        user_ids: Users.
        to_nobody: One message without a room.
    """

    group_ids: tuple[Id, ...]
    user_ids: tuple[Id, ...]
    to_nobody: bool

    @property
    def names(self) -> tuple[str | None, ...]:
        """Of the rooms, groups first; None for no room."""
        if self.to_nobody:
            return (None,)
        return (*map(group_room, self.group_ids), *map(user_room, self.user_ids))


def rooms_of(
    *,
    group_id: AnyId | None = None,
    user_id: AnyId | None = None,
    group_ids: Iterable[AnyId] | None = None,
    user_ids: Iterable[AnyId] | None = None,
    to_nobody: bool = False,
) -> Rooms:
    """Read where a message is to go; arguments as of ``Where``.

    Raises:
        InvalidMessage: If an id is wrong, if none is named, or if what is named does not fit together.
    """
    # Both are checked even where one is not used: a wrong id is a mistake in either place.
    user = None if user_id is None else checked_id("user_id", user_id)
    group = None if group_id is None else checked_id("group_id", group_id)
    are_many = group_ids is not None or user_ids is not None
    is_one = group is not None or user is not None
    if not isinstance(to_nobody, bool):
        raise InvalidMessage("to_nobody", f"must be a bool, not {type(to_nobody).__name__}")
    if is_one + are_many + to_nobody > 1:
        raise InvalidMessage(
            "group_id, user_id", "cannot be named beside group_ids, user_ids or to_nobody"
        )
    if are_many:
        groups = () if group_ids is None else checked_ids("group_ids", group_ids)
        users = () if user_ids is None else checked_ids("user_ids", user_ids)
        return Rooms(tuple(dict.fromkeys(groups)), tuple(dict.fromkeys(users)), to_nobody=False)
    if group is not None:
        return Rooms((group,), (), to_nobody=False)
    if user is not None:
        return Rooms((), (user,), to_nobody=False)
    if not to_nobody:
        raise InvalidMessage(
            "group_id or user_id", "is missing: it would reach nobody; is to_nobody=True meant?"
        )
    return Rooms((), (), to_nobody=True)
