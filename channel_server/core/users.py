"""Who a channel token stands for: the JSON stored at ``/current_users/<token>``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from channel_server.core import strict_json
from channel_server.core.names import NOTICE, GroupId, UserId, group_room, user_room
from channel_server.errors import MalformedUser
from publisher.contract.ids import id_text

if TYPE_CHECKING:
    from channel_server.core.names import Room

_NOBODY: Final = frozenset({"", "null", "undefined"})
_TOKEN_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Identity:
    """A signed-in user.

    Attributes:
        user_id: A number or a text.
        group_ids: Each once, in the stored order.
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
        None for a visitor, who has no ``id``, or ``null`` or ``""``. What is no id among the group
        ids is left out.

    Raises:
        MalformedUser: If it is no JSON object, or has an ``id`` that is none.
    """
    try:
        user = strict_json.loads(stored)
    except ValueError:
        user = None
    if not isinstance(user, dict):
        raise MalformedUser("not a JSON object")
    stored_id = user.get("id")
    if stored_id is None or stored_id == "":
        return None
    user_id = id_text(stored_id)
    if user_id is None:
        raise MalformedUser("its id is neither a whole number nor a short text")
    groups = user.get("group_ids")
    listed = map(id_text, groups if isinstance(groups, list) else [])
    return Identity(
        UserId(user_id), tuple(dict.fromkeys(GroupId(group) for group in listed if group))
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
