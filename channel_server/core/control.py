"""Orders of the application to the channel servers: hang up, change groups.

Source: ``publisher.control``, which writes them; they travel in the journal, or on the channel
``/channel_control``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channel_server.core import strict_json
from channel_server.core.names import GroupId, UserId
from channel_server.errors import MalformedMessage
from publisher.contract import CONTROL
from publisher.contract.ids import id_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class HangUpUser:
    """Hang up on a user; who returns is looked up afresh."""

    user_id: UserId


@dataclass(frozen=True, slots=True)
class HangUpToken:
    """Hang up on who came with a token.

    Attributes:
        digest: SHA-256 of the token, in hexadecimal: the token itself is nobody's to read.
    """

    digest: str


@dataclass(frozen=True, slots=True)
class SetGroups:
    """A user is in these groups now, and in no other."""

    user_id: UserId
    group_ids: tuple[GroupId, ...]


Order = HangUpUser | HangUpToken | SetGroups


def read(payload: bytes) -> Order:
    """Read an order.

    Raises:
        MalformedMessage: If it is none that this version knows.
    """
    try:
        document = strict_json.loads(payload)
    except ValueError:
        document = None
    order = _read(document) if isinstance(document, dict) else None
    if order is None:
        raise MalformedMessage(CONTROL, "not an order", len(payload))
    return order


def _read(document: Mapping[str, Any]) -> Order | None:
    match document:
        case {"action": "hang_up", "user_id": user} if (user_id := id_text(user)) is not None:
            return HangUpUser(UserId(user_id))
        case {"action": "hang_up", "token_sha256": str(digest)} if (
            len(digest) == _DIGEST_CHARACTERS
        ):
            return HangUpToken(digest)
        case {"action": "set_groups", "user_id": user, "group_ids": list(listed)}:
            user_id, group_ids = id_text(user), [id_text(group) for group in listed]
            if user_id is None or None in group_ids:
                return None
            groups = dict.fromkeys(GroupId(group) for group in group_ids if group is not None)
            return SetGroups(UserId(user_id), tuple(groups))
        case _:
            return None
