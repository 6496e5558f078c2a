"""Orders to the channel servers, as messages. Pure.

``channel_server.core.control`` reads them.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from publisher.command import Command
from publisher.contract import CONTROL
from publisher.ids import checked_id
from publisher.payload import payload

if TYPE_CHECKING:
    from publisher.contract.ids import Id
    from publisher.ids import AnyId


def hang_up_user(user_id: AnyId) -> Command:
    """Hang up on a user's clients; they return and are looked up afresh.

    Raises:
        InvalidMessage: If the id is wrong.
    """
    return _order(action="hang_up", user_id=checked_id("user_id", user_id))


def hang_up_token(token: str) -> Command:
    """Hang up on the clients that came with a token, which is not named: only its SHA-256 is."""
    digest = hashlib.sha256(token.encode()).hexdigest()
    return _order(action="hang_up", token_sha256=digest)


def set_groups(user_id: Id, group_ids: list[Id]) -> Command:
    """Move a user's clients into the rooms of these groups, and out of all others."""
    return _order(action="set_groups", user_id=user_id, group_ids=group_ids)


def _order(**document: object) -> Command:
    return Command(("PUBLISH", CONTROL, payload("order", document)))
