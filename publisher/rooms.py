"""To which rooms a message goes. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

from publisher.contract import group_room, user_room
from publisher.errors import InvalidMessage
from publisher.ids import checked_id, checked_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.contract.ids import Id
    from publisher.ids import AnyId


_OTHERS: Final = "group_ids, user_ids or to_nobody"


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


class Room(NamedTuple):
    """Where a message goes.

    Attributes:
        name: Such as ``group-7``; None for no room.
        reader: Id of the user who alone will read it; None if there are more, or nobody.
    """

    name: str | None
    reader: Id | None


def rooms_of(
    *,
    group_id: AnyId | None = None,
    user_id: AnyId | None = None,
    group_ids: Iterable[AnyId] | None = None,
    user_ids: Iterable[AnyId] | None = None,
    to_nobody: bool = False,
) -> tuple[Room, ...]:
    """Read where a message is to go; arguments as of ``Where``. Groups come first.

    Raises:
        InvalidMessage: If an id is wrong, if none is named, or if what is named does not fit together.
    """
    # Both are checked even where one is not used: a wrong id is a mistake in either place.
    user = None if user_id is None else checked_id("user_id", user_id)
    group = None if group_id is None else checked_id("group_id", group_id)
    is_one = group is not None or user is not None
    if group_ids is not None or user_ids is not None or to_nobody is not False:
        if is_one:
            raise InvalidMessage("group_id or user_id", f"cannot be named beside {_OTHERS}")
        return _several(group_ids, user_ids, to_nobody=to_nobody)
    if group is not None:
        return (Room(group_room(group), None),)
    if user is not None:
        return (Room(user_room(user), user),)
    raise InvalidMessage(
        "group_id or user_id", "is missing: it would reach nobody; is to_nobody=True meant?"
    )


def _several(
    group_ids: Iterable[AnyId] | None, user_ids: Iterable[AnyId] | None, *, to_nobody: object
) -> tuple[Room, ...]:
    if not isinstance(to_nobody, bool):
        raise InvalidMessage("to_nobody", f"must be a bool, not {type(to_nobody).__name__}")
    if to_nobody and not (group_ids is None and user_ids is None):
        raise InvalidMessage("to_nobody", "cannot be named beside group_ids or user_ids")
    if to_nobody:
        return (Room(None, None),)
    groups = () if group_ids is None else checked_ids("group_ids", group_ids)
    users = () if user_ids is None else checked_ids("user_ids", user_ids)
    rooms = [Room(group_room(group), None) for group in groups]
    rooms += [Room(user_room(user), user) for user in users]
    return tuple({room.name: room for room in rooms}.values())  # 7 and "7" are one
