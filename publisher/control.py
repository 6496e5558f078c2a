"""Orders to the channel servers, as messages. Pure.

``channel_server.core.control`` reads them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from publisher.command import Command
from publisher.contract import CONTROL
from publisher.errors import InvalidMessage
from publisher.payload import payload
from publisher.positive import positive_int


def hang_up_user(user_id: int) -> Command:
    """Hang up on a user's clients; they return and are looked up afresh.

    Raises:
        InvalidMessage: If the id is not a positive int.
    """
    return _order(action="hang_up", user_id=positive_int("user_id", user_id))


def hang_up_token(token: str) -> Command:
    """Hang up on the clients that came with a token, which is not named: only its SHA-256 is."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return _order(action="hang_up", token_sha256=digest)


def set_groups(user_id: int, group_ids: list[int]) -> Command:
    """Move a user's clients into the rooms of these groups, and out of all others."""
    return _order(action="set_groups", user_id=user_id, group_ids=group_ids)


def checked_group_ids(group_ids: Iterable[int]) -> list[int]:
    """Give back the ids of groups as a list.

    Raises:
        InvalidMessage: If it is no iterable of positive ints.
    """
    # Bytes are iterable and give positive ints, which nobody means.
    if isinstance(group_ids, str | bytes | bytearray) or not isinstance(group_ids, Iterable):
        problem = f"must be an iterable of ints, not {type(group_ids).__name__}"
        raise InvalidMessage("group_ids", problem)
    return [positive_int("group_ids", group_id) for group_id in group_ids]


def _order(**document: object) -> Command:
    return Command(("PUBLISH", CONTROL, payload("order", document)))
