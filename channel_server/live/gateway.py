"""Who may hear what: a client's token is looked up, then it joins its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from channel_server.core import users
from channel_server.engine.http import read_query
from channel_server.errors import RedisLost
from channel_server.live.server import SocketServer

if TYPE_CHECKING:
    from channel_server.core.rooms import Rooms
    from channel_server.core.users import Identity
    from channel_server.engine.options import Options
    from channel_server.engine.session import Session
    from channel_server.live.fanout import Client
    from channel_server.metrics import Metrics


class Users(Protocol):
    """Where tokens are looked up."""

    async def find(self, token: str) -> Identity | None:
        """Return who it stands for, None for a visitor; raises ``RedisLost``."""
        ...


class Gateway(SocketServer):
    """The Socket.IO server that Loomio's client connects to.

    Order at CONNECT: look the token up; then, without an await, join the rooms and write the
    CONNECT reply. So nothing is published to a client that has not joined yet.

    Args:
        options: Of the engine.
        users: Where tokens are looked up.
        rooms: Shared with the fan-out.
        metrics: Counts.
    """

    def __init__(
        self, options: Options, *, users: Users, rooms: Rooms[Client], metrics: Metrics
    ) -> None:
        super().__init__(options, allow_binary=False)
        self._users = users
        self._rooms = rooms
        self._metrics = metrics
        self.engine.departed = rooms.drop

    async def admit(self, session: Session) -> Identity | None:
        """Look the token up; while Redis cannot answer, the client waits.

        A look-up that fails closes the transport, so that the client returns: nobody becomes
        anonymous because of trouble on our side.
        """
        token = read_query(session.query).get("channel_token", "")
        if not users.is_token(token):
            return None
        try:
            return await self._users.find(token)
        except RedisLost:
            self._metrics.failed_lookups += 1
            session.hang_up("look-up failed")
            return None

    def welcome(
        self, session: Session, sid: str, namespace: str, auth: dict[str, Any], admitted: object
    ) -> None:
        """Join the rooms, then answer."""
        identity = cast("Identity | None", admitted)
        self._metrics.connects += 1
        self._metrics.anonymous += identity is None
        self._rooms.join(session, users.rooms_of(identity))
        super().welcome(session, sid, namespace, auth, admitted)

    def farewell(self, session: Session, namespace: str) -> None:
        """Leave the rooms."""
        self._rooms.drop(session)
        super().farewell(session, namespace)
