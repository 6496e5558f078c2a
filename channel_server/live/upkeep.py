"""What has to be done for clients that stay: fresh offsets for the quiet, fresh time for tokens."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from channel_server.core.names import user_id_of
from channel_server.core.packets import offset_packet
from channel_server.live.token import token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from channel_server.core.journal import Tail
    from channel_server.core.names import Room, UserId
    from channel_server.core.rooms import Rooms
    from channel_server.engine.session import Session
    from channel_server.live.fanout import Client

_SLICE: Final = 500
"""Clients that are looked at before other work gets a turn: about 2 ms."""

_LOOK_S: Final = 1.0


class Tokens(Protocol):
    """Where tokens live, as ``adapters.directory`` has it."""

    def renew(self, owners: Iterable[tuple[str, UserId]]) -> None:
        """Give tokens their full time again."""
        ...


class Upkeep:
    """Walks over all clients now and then; nothing is kept for any of them.

    Args:
        sessions: All of the engine.
        rooms: Shared with the fan-out.
        tail: What is remembered.
        tokens: Where tokens live.
    """

    def __init__(
        self,
        sessions: Callable[[], list[Session]],
        rooms: Rooms[Client],
        tail: Tail,
        tokens: Tokens,
    ) -> None:
        self._sessions = sessions
        self._rooms = rooms
        self._tail = tail
        self._tokens = tokens
        self._leaving: list[tuple[str, UserId]] = []

    async def run(
        self, *, seed_every_s: float, renew_every_s: float, look_every_s: float = _LOOK_S
    ) -> NoReturn:
        """Keep up until cancelled.

        Args:
            seed_every_s: A quarter of the time that the journal goes back.
            renew_every_s: Half the life of a token.
            look_every_s: How often to see whether the journal turns over.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._seed_for_ever(seed_every_s, look_every_s), name="seeds")
            group.create_task(self._renew_for_ever(renew_every_s), name="token renewal")
        raise AssertionError

    async def _seed_for_ever(self, every_s: float, look_every_s: float) -> NoReturn:
        clock = asyncio.get_running_loop().time
        now, walked_at_s = self._tail.key, clock()
        while True:
            await asyncio.sleep(min(every_s, look_every_s))
            # On a busy site the tail is full long before it is old.
            if clock() - walked_at_s >= every_s or self._tail.is_turning_over(now):
                seen, now, walked_at_s = now, self._tail.key, clock()
                await self._walk(partial(self._seed, seen=seen))

    async def _renew_for_ever(self, every_s: float) -> NoReturn:
        while True:
            await asyncio.sleep(every_s)
            await self._walk(lambda sessions: self._tokens.renew(self._owners(sessions)))

    async def _walk(self, visit: Callable[[list[Session]], None]) -> None:
        sessions = self._sessions()
        for start in range(0, len(sessions), _SLICE):
            visit(sessions[start : start + _SLICE])
            await asyncio.sleep(0)

    def _seed(self, sessions: list[Session], *, seen: int) -> None:
        """Tell clients that have received nothing since the last walk where they stand."""
        offset = self._tail.offset
        if offset is None:
            return
        packet = offset_packet(str(offset))
        for session in sessions:
            rooms = self._rooms.rooms(session)
            # One without a room has not connected, or is being served what it missed.
            if rooms and all(self._tail.last_key(room) <= seen for room in rooms):
                session.write(packet)

    def departed(self, session: Session) -> None:
        """A client is gone: its token gets its full time once more. Leave its rooms after this."""
        owner = _owner(session, self._rooms.rooms(session))
        if owner is None:
            return
        self._leaving.append(owner)
        if len(self._leaving) == 1:
            asyncio.get_running_loop().call_soon(self._renew_leaving)

    def _renew_leaving(self) -> None:
        leaving, self._leaving = self._leaving, []
        self._tokens.renew(leaving)

    def _owners(self, sessions: list[Session]) -> list[tuple[str, UserId]]:
        owners = (_owner(session, self._rooms.rooms(session)) for session in sessions)
        return [owner for owner in owners if owner is not None]


def _owner(session: Session, rooms: tuple[Room, ...]) -> tuple[str, UserId] | None:
    """Token and user of a client, None for a visitor."""
    user_id = user_id_of(rooms[1]) if len(rooms) > 1 else None
    return None if user_id is None else (token_of(session), user_id)
