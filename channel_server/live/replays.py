"""What was missed, written at the pace at which the client reads it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.core.packets import Outgoing, offset_packet

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal import Entry, Tail
    from channel_server.core.names import Room
    from channel_server.core.rooms import Rooms
    from channel_server.engine.session import Session
    from channel_server.live.fanout import Client
    from channel_server.metrics import Metrics

_PIECE_BYTES: Final = 256 * 1024
_TURN_BYTES: Final = 1024 * 1024
_AT_ONCE: Final = 256
_PAUSE_S: Final = 0.02
"""A client that reads all of a piece in this time gets 12 MB a second."""


class Replay:
    """A client on its way from its offset to the present.

    Attributes:
        rooms: Those it will join.
        joined: Called with the client then.
        after: Key of the last entry that was written, or is in ``entries``.
        entries: Still to be written.
        complete_from: What this was in the tail when the client was told whether it recovers.
        fetched_to: Everything up to here was fetched.
    """

    __slots__ = ("after", "complete_from", "entries", "fetched_to", "joined", "rooms")

    def __init__(
        self, rooms: tuple[Room, ...], after: int, tail: Tail, joined: Callable[[Session], None]
    ) -> None:
        self.rooms = rooms
        self.joined = joined
        self.after = after
        self.complete_from = tail.complete_from
        self.fetched_to = 0
        self.entries: deque[Entry] = deque()
        self.fetch(tail)

    def fetch(self, tail: Tail) -> bool:
        """Get some more of what was missed. Return whether there is anything.

        A client that does not read holds on to no more than this.
        """
        entries = tail.missed(self.rooms, self.after, _AT_ONCE)
        self.fetched_to = entries[-1].key if len(entries) == _AT_ONCE else tail.key
        self.entries.extend(entries)
        return bool(entries)


class Replays:
    """Brings clients up to the present; in the step in which one has caught up it joins its rooms.

    A client that is being served is never hung up for being slow: nothing is written to it that
    it has no room for.

    Args:
        tail: What is remembered.
        rooms: Shared with the fan-out.
        metrics: Counts.
        piece_bytes: At most this much is written ahead of a client, but at least one entry.
    """

    def __init__(
        self,
        tail: Tail,
        rooms: Rooms[Client],
        *,
        metrics: Metrics,
        piece_bytes: int = _PIECE_BYTES,
    ) -> None:
        self._tail = tail
        self._rooms = rooms
        self._metrics = metrics
        self._piece_bytes = piece_bytes
        self._under_way: dict[Session, Replay] = {}
        self._is_any = asyncio.Event()
        # Clients that come one after the other mostly stand at the same place.
        self._offset = ""
        self._seed = offset_packet("")

    def begin(
        self,
        session: Session,
        greeting: Outgoing,
        rooms: tuple[Room, ...],
        after: int,
        joined: Callable[[Session], None] = lambda _: None,
    ) -> None:
        """Serve a client from a key on. Does not await; a short story ends in here.

        Args:
            session: The client.
            greeting: Comes first.
            rooms: It sees these, and joins them when it has caught up.
            after: Key of the last entry it has.
            joined: Called with the client when it has joined them.
        """
        replay = Replay(rooms, after, self._tail, joined)
        session.is_paced = True
        if self._write_piece(session, replay, [greeting]):
            session.is_paced = False
            return
        self._under_way[session] = replay
        self._is_any.set()

    def join(self, session: Session, packets: list[Outgoing], rooms: tuple[Room, ...]) -> None:
        """The client is in the present: write the last packets and where it stands, join its rooms."""
        offset = self._tail.offset_text
        if offset:
            if offset != self._offset:
                self._offset, self._seed = offset, offset_packet(offset)
            packets.append(self._seed)
        session.write_all(packets)
        self._rooms.join(session, rooms)

    def concerned(self, user_room: Room) -> list[Session]:
        """Clients of a user that are still being served."""
        return [
            session for session, replay in self._under_way.items() if user_room in replay.rooms
        ]

    def forget(self, session: Session) -> None:
        """A client is gone, or wants no more."""
        if self._under_way.pop(session, None) is not None:
            session.is_paced = False

    async def run(self) -> NoReturn:
        """Serve until cancelled."""
        while True:
            await self._is_any.wait()
            await self._walk()
            if not self._under_way:
                self._is_any.clear()
            await asyncio.sleep(_PAUSE_S)

    async def _walk(self) -> None:
        """Give every client that has read all it was given another piece."""
        budget = _TURN_BYTES
        for session, replay in list(self._under_way.items()):
            if not session.is_open:
                self.forget(session)
            elif session in self._under_way and session.unread_bytes == 0:
                budget -= self._piece_bytes
                if self._write_piece(session, replay, []):
                    self.forget(session)
            if budget <= 0:
                budget = _TURN_BYTES
                await asyncio.sleep(0)

    def _write_piece(self, session: Session, replay: Replay, packets: list[Outgoing]) -> bool:
        """Write as much as there is room for. Return whether the client is in the present.

        Args:
            session: The client.
            replay: Where it is.
            packets: To go before; all is written at once, so that a poll gets it in one answer.
        """
        budget = self._piece_bytes
        while budget > 0:
            if not replay.entries:
                if self._is_overrun(replay):
                    session.hang_up("replay overrun")
                    return True
                if not replay.fetch(self._tail):
                    self.join(session, packets, replay.rooms)
                    replay.joined(session)
                    return True
            entry = replay.entries.popleft()
            replay.after = entry.key
            packets.append(Outgoing(entry.frame))
            self._metrics.replayed += 1
            budget -= len(entry.frame)
        session.write_all(packets)
        return False

    def _is_overrun(self, replay: Replay) -> bool:
        """Whether something that was not fetched yet is gone from the tail by now."""
        now_from = self._tail.complete_from
        return now_from > replay.complete_from and now_from > replay.fetched_to
