"""Orders of the application, carried out on clients that edit."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

from channel_server.core import control
from channel_server.core.control import HangUpToken, HangUpUser, SetGroups
from channel_server.errors import MalformedMessage

if TYPE_CHECKING:
    from channel_server.collab.seat import Seat
    from channel_server.collab.server import House

log = logging.getLogger(__name__)


def obey(house: House, payload: bytes) -> None:
    """Carry out one order: turn a user out, or ask again what a user may.

    Args:
        house: Whose clients.
        payload: As published on ``/channel_control``.
    """
    try:
        order = control.read(payload)
    except MalformedMessage as error:
        house.metrics.malformed += 1
        log.warning("order refused", extra={"reason": error.reason, "bytes": error.size})
        return
    house.metrics.orders += 1
    match order:
        case HangUpUser(user_id):
            house.expel(lambda seat: seat.permit.user_id == user_id)
            # For Rails `03` and `3f2a` are 3, for others they are not: the application will say.
            house.recheck(lambda seat: seat.permit.number == user_id)
        case HangUpToken(digest):
            house.expel(lambda seat: _digest_of(seat) == digest)
        case SetGroups(user_id, _):
            house.recheck(lambda seat: user_id in {seat.permit.user_id, seat.permit.number})


def _digest_of(seat: Seat) -> str:
    return hashlib.sha256(seat.permit.secret.encode()).hexdigest()
