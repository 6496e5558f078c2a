"""Who a channel token stands for: the JSON stored at ``/current_users/<token>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from channel_server.core import strict_json
from channel_server.core.names import NOTICE, GroupId, UserId, group_room, user_room

if TYPE_CHECKING:
    from channel_server.core.names import Room

_NOBODY: Final = frozenset({"", "null", "undefined"})
_TOKEN_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user.

    Attributes:
        user_id: Positive.
        group_ids: Positive, each once, in the stored order.
    """

    user_id: UserId
    group_ids: tuple[GroupId, ...]


def is_token(text: str) -> bool:
    """Tell whether a query parameter can be a token at all.

    Visitors send ``null`` or ``undefined`` (JavaScript's text for a missing token). Real tokens
    are 24 to 36 characters; what is longer than 1,024 is not worth a question to Redis.
    """
    return text not in _NOBODY and len(text) <= _TOKEN_MAX and text.isprintable()


def read(stored: bytes) -> Identity | None:
    """Read a stored user.

    Args:
        stored: JSON such as ``{"name":"Ann","group_ids":[1,2],"id":123}``.

    Returns:
        None for an anonymous visitor: not JSON, no ``id``, or an id that is not a positive
        integer. Group ids that are not positive integers are left out.
    """
    try:
        user = strict_json.loads(stored)
    except ValueError:
        return None
    if not isinstance(user, dict) or not _is_id(user.get("id")):
        return None
    groups = user.get("group_ids")
    listed = groups if isinstance(groups, list) else []
    return Identity(
        UserId(user["id"]),
        tuple(dict.fromkeys(GroupId(group) for group in listed if _is_id(group))),
    )


def rooms_of(identity: Identity | None) -> tuple[Room, ...]:
    """Rooms a client belongs to; a visitor (None) only hears notices."""
    if identity is None:
        return (NOTICE,)
    return (
        NOTICE,
        user_room(identity.user_id),
        *(group_room(group) for group in identity.group_ids),
    )


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
