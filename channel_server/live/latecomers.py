"""Clients that came back while nobody knew what the journal holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from channel_server.engine.session import Session

_AT_ONCE: Final = 50
_PAUSE_S: Final = 0.05
"""A thousand in a second return."""


class Latecomers:
    """Sends them away when the journal is whole: they return, and get what they have missed.

    In trouble, whoever is there gets at once what is published. It is in the journal, but beyond
    the place up to which this node has read: who came later got it neither live nor from there.

    Args:
        whole: Set while the journal holds everything.
    """

    def __init__(self, whole: asyncio.Event) -> None:
        self._whole = whole
        self._sessions: set[Session] = set()
        self._is_any = asyncio.Event()

    def note(self, session: Session) -> None:
        """A client has got what it had missed; it need not come again if the journal is whole."""
        if not self._whole.is_set():
            self._sessions.add(session)
            self._is_any.set()

    def forget(self, session: Session) -> None:
        """It is gone."""
        self._sessions.discard(session)

    async def run(self) -> NoReturn:
        """Send them away until cancelled."""
        while True:
            await self._is_any.wait()
            await self._whole.wait()
            for _ in range(min(_AT_ONCE, len(self._sessions))):
                self._sessions.pop().hang_up("journal healed")
            if not self._sessions:
                self._is_any.clear()
            await asyncio.sleep(_PAUSE_S)
