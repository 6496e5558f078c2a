"""What a client that returns has missed. Nothing is remembered about clients: they say where they are.

A client keeps the ``pid`` of its CONNECT reply, and the last string argument of any event as its
offset; when it returns it shows both. The same ``pid`` in the reply tells it that it has
recovered (socket.io-client 4.6 and later, lib/socket.ts, ``onconnect``); we say so only if it
has been given everything it missed.

A ``pid`` ends with the offset at which it was given (``core.pids``): a client that was cut off
before any event has reached it stands there.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from channel_server.core import offsets, pids

if TYPE_CHECKING:
    from channel_server.core.journal import Tail
    from channel_server.core.names import Room
    from channel_server.core.offsets import Offset
    from channel_server.core.packets import Outgoing
    from channel_server.core.pids import Pid
    from channel_server.core.users import Identity
    from channel_server.engine.session import Session
    from channel_server.live.latecomers import Latecomers
    from channel_server.live.replays import Replays
    from channel_server.metrics import Metrics

_PATIENCE_S: Final = 4.0


class Claim(NamedTuple):
    """What a returning client shows.

    Attributes:
        pid: As it was given.
        offset: Where it stands, or says it does.
    """

    pid: Pid
    offset: Offset


class Journal(Protocol):
    """What the journal is good for just now."""

    @property
    def whole(self) -> asyncio.Event:
        """Set while everything that is published can be recovered."""
        ...

    @property
    def is_doubtful(self) -> bool:
        """Whether it will be known soon if that is so."""
        ...

    @property
    def secret(self) -> bytes:
        """What all its nodes know, and nobody else."""
        ...

    async def reach(self, offset: Offset) -> None:
        """Read on to an offset that is ahead of this node, if there is such a one."""
        ...


class Recovery:
    """Gives returning clients what they missed, and every client the place where it stands.

    Args:
        tail: What is remembered.
        replays: Writes what was missed.
        journal: What it is good for.
        latecomers: Told of those that return.
        metrics: Counts.
    """

    def __init__(
        self,
        tail: Tail,
        replays: Replays,
        *,
        journal: Journal,
        latecomers: Latecomers,
        metrics: Metrics,
    ) -> None:
        self._tail = tail
        self._latecomers = latecomers
        self._replays = replays
        self._journal = journal
        self._metrics = metrics

    def read_claim(self, auth: dict[str, Any]) -> Claim | None:
        """Read what a client sends with CONNECT; what cannot be right is counted, and no claim."""
        if "pid" not in auth:
            return None
        pid = pids.read(auth["pid"])
        offset = pid and (offsets.read(auth["offset"]) if "offset" in auth else pid.offset)
        if pid is None or offset is None:
            self._metrics.bad_claims += 1
            return None
        return Claim(pid, offset)

    async def prepare(self, claim: Claim | None) -> None:
        """Catch up with a client that comes from a node that is ahead of this one.

        It waits, too, while nobody knows whether the journal is whole: after the death of the node
        that recorded, for as long as its lease lasts.
        """
        if claim is None or self._tail.offset is None:
            return
        if self._tail.is_ahead(claim.offset):
            await self._journal.reach(claim.offset)
        if self._tail.covers(claim.offset) and self._journal.is_doubtful:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._journal.whole.wait()

    def pid_for(self, claim: Claim | None, sid: str, identity: Identity | None) -> str | None:
        """The ``pid`` of the reply: the client's own if it recovers; None without a journal.

        Args:
            claim: What the client shows.
            sid: Its new socket id, random: a new ``pid`` begins like it.
            identity: Who it is; None for a visitor.
        """
        if self._tail.offset is None:
            return None
        if claim is not None:
            why_not = self._why_not(claim, identity)
            if not why_not:
                self._metrics.recovered += 1
                return claim.pid.text
            self._metrics.not_recovered[why_not] += 1
        return pids.make(sid, self._tail.offset_text, identity, self._journal.secret)

    def _why_not(self, claim: Claim, identity: Identity | None) -> str:
        """Why a client cannot be told that it has everything, for the operator; "" if it can."""
        offset = claim.offset
        if not self._journal.whole.is_set():
            return "journal in doubt"
        if self._tail.is_ahead(offset) or offset.epoch != self._tail.epoch:
            return "other journal"
        if not self._tail.covers(offset):
            return "gap or too late"
        return "" if claim.pid.is_of(identity, self._journal.secret) else "other user"

    def admit(
        self, session: Session, greeting: Outgoing, claim: Claim | None, rooms: tuple[Room, ...]
    ) -> None:
        """Greet a client, write what it missed, and join it to its rooms; that may take a while.

        Does not await: nothing can come between what was missed and what is live.

        Args:
            session: The client.
            greeting: The CONNECT reply.
            claim: What the client shows.
            rooms: What it may see.
        """
        if claim is None:
            self._replays.join(session, [greeting], rooms)
            return
        start = min(self._tail.start_of(claim.offset), self._tail.key)
        self._replays.begin(session, greeting, rooms, start, self._latecomers.note)

    def forget(self, session: Session) -> None:
        """A client is gone."""
        self._replays.forget(session)
        self._latecomers.forget(session)
