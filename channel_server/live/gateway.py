"""Who may hear what: a client's token is looked up, then it gets what it missed and joins its rooms."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import orjson

from channel_server.core import users
from channel_server.errors import MalformedUser, RedisLost, RedisRefused
from channel_server.live.server import SocketServer
from channel_server.live.token import token_of
from channel_server.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.rooms import Rooms
    from channel_server.core.users import Identity
    from channel_server.engine.options import Options
    from channel_server.engine.session import Session
    from channel_server.live.fanout import Client
    from channel_server.live.lookups import LookUps
    from channel_server.live.recovery import Claim, Recovery
    from channel_server.metrics import Metrics


log = logging.getLogger(__name__)


class _Admitted(NamedTuple):
    """What is known of a client before it is connected."""

    identity: Identity | None
    claim: Claim | None


class Gateway(SocketServer):
    """The Socket.IO server that Loomio's client connects to.

    Order at CONNECT: read on to where the client has been, look the token up; then, without an
    await, write the CONNECT reply, write what was missed, join the rooms, write the offset. So no
    live message slips between what was missed and what comes, and nothing is published to a
    client that has not joined yet.

    Args:
        options: Of the engine.
        look_ups: Who a token stands for.
        rooms: Shared with the fan-out.
        recovery: What a returning client has missed.
        departing: Called with each client that is gone, while it is still in its rooms.
        metrics: Counts.
    """

    def __init__(
        self,
        options: Options,
        *,
        look_ups: LookUps,
        rooms: Rooms[Client],
        recovery: Recovery,
        departing: Callable[[Session], None],
        metrics: Metrics,
    ) -> None:
        super().__init__(options, allow_binary=False)
        self._look_ups = look_ups
        self._rooms = rooms
        self._recovery = recovery
        self._departing = departing
        self._metrics = metrics
        self._seldom = Seldom()
        self.engine.departed = self._departed

    async def admit(self, session: Session, auth: dict[str, Any]) -> _Admitted:
        """Look the token up; while Redis cannot answer, the client waits.

        A look-up that fails closes the transport, so that the client returns: nobody becomes
        anonymous because of trouble on our side.
        """
        claim = self._recovery.read_claim(auth)
        await self._recovery.prepare(claim)
        token = token_of(session)
        if not users.is_token(token):
            return _Admitted(None, claim)
        began_s = perf_counter()
        found = "user"
        try:
            identity = await self._look_ups.find(token)
        except (RedisLost, RedisRefused) as error:
            if self._seldom.may_say(str(error)):
                log.warning("look-up failed", extra={"reason": str(error)})
            self._metrics.lookups["failed"] += 1
            session.hang_up("look-up failed")
            return _Admitted(None, None)
        except MalformedUser as error:
            identity, found = None, "malformed"
            if self._seldom.may_say(error.reason):
                log.warning("malformed user", extra={"reason": error.reason})
        self._metrics.lookup_times.observe(perf_counter() - began_s)
        self._metrics.lookups["unknown" if found == "user" and identity is None else found] += 1
        self._metrics.expired_tokens += identity is None and claim is not None
        return _Admitted(identity, claim)

    def welcome(
        self, session: Session, sid: str, namespace: str, auth: dict[str, Any], admitted: object
    ) -> None:
        """Answer, serve what was missed, join the rooms."""
        del auth
        identity, claim = cast("_Admitted", admitted)
        self._metrics.connects += 1
        self._metrics.anonymous += identity is None
        reply = {"sid": sid}
        pid = self._recovery.pid_for(claim, sid, identity)
        if pid is not None:
            reply["pid"] = pid
        greeting = self.packet(b"0", namespace, orjson.dumps(reply))
        self._recovery.admit(session, greeting, claim, users.rooms_of(identity))

    def farewell(self, session: Session, namespace: str) -> None:
        """Leave the rooms."""
        self._departed(session)
        super().farewell(session, namespace)

    def _departed(self, session: Session) -> None:
        self._departing(session)
        self._recovery.forget(session)
        self._rooms.drop(session)
