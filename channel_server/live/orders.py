"""Orders of the application, carried out on the clients of this node."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from channel_server.core.control import HangUpToken, HangUpUser, Order, SetGroups
from channel_server.core.names import user_room
from channel_server.core.users import Identity, rooms_of
from channel_server.live.lookups import digest_of
from channel_server.live.token import token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.names import UserId
    from channel_server.core.rooms import Rooms
    from channel_server.engine.session import Session
    from channel_server.live.fanout import Client
    from channel_server.live.lookups import LookUps
    from channel_server.live.replays import Replays
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

_REASON = "ordered"


class Orders:
    """Hangs up and moves clients between rooms, without a hole for those that are just coming in.

    Args:
        sessions: All of the engine.
        rooms: Shared with the fan-out.
        look_ups: Those under way are told.
        replays: Clients in there are not in their rooms yet.
        metrics: Counts.
    """

    def __init__(
        self,
        sessions: Callable[[], list[Session]],
        rooms: Rooms[Client],
        look_ups: LookUps,
        replays: Replays,
        metrics: Metrics,
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._look_ups = look_ups
        self._replays = replays
        self._metrics = metrics

    def obey(self, order: Order) -> None:
        """Carry out one order. Does not await."""
        self._metrics.orders += 1
        match order:
            case HangUpUser(user_id):
                self._look_ups.user_changed(user_id)
                self._hang_up_user(user_id)
            case HangUpToken(digest):
                self._look_ups.token_revoked(digest)
                self._hang_up_token(digest)
            case SetGroups(user_id, group_ids):
                self._look_ups.user_changed(user_id)
                self._move(Identity(user_id, group_ids))

    def _hang_up_user(self, user_id: UserId) -> None:
        room = user_room(user_id)
        for client in [*self._rooms.members(room), *self._replays.concerned(room)]:
            client.hang_up(_REASON)

    def _hang_up_token(self, digest: str) -> None:
        # Every client is looked at: 1.5 µs each, and nothing to keep for an order that is rare.
        for session in self._sessions():
            if digest_of(token_of(session)) == digest:
                session.hang_up(_REASON)

    def _move(self, identity: Identity) -> None:
        own, due = user_room(identity.user_id), rooms_of(identity)
        for client in list(self._rooms.members(own)):
            self._rooms.leave(client, set(self._rooms.rooms(client)) - set(due))
            self._rooms.join(client, due)
        for session in self._replays.concerned(own):
            session.hang_up(_REASON)
