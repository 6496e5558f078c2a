"""A little at a time: thousands who want the same in one moment get it in many turns of the loop."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_PER_TURN: Final = 25


class Turns:
    """Lets so many pass in one turn of the event loop, in the order in which they came.

    Args:
        per_turn: How many pass in one turn.
    """

    def __init__(self, per_turn: int = _PER_TURN) -> None:
        self._per_turn = per_turn
        self._left = per_turn
        self._waiting: deque[Callable[[], None]] = deque()
        self._is_next_due = False

    def may_pass(self) -> bool:
        """Tell whether one may go on at once; if not, ``call_later`` in one's turn."""
        if not self._is_next_due:
            self._is_next_due = True
            asyncio.get_running_loop().call_soon(self._next)
        if not self._left or self._waiting:
            return False
        self._left -= 1
        return True

    def call_later(self, go_on: Callable[[], None]) -> None:
        """Wait for one's turn. What is called must not raise."""
        self._waiting.append(go_on)

    async def take(self) -> None:
        """Return when it is one's turn; if there is no crowd, at once."""
        if not self.may_pass():
            turn = asyncio.get_running_loop().create_future()
            self.call_later(lambda: None if turn.done() else turn.set_result(None))
            await turn

    def _next(self) -> None:
        """A turn of the loop is over."""
        self._left = self._per_turn
        while self._left and self._waiting:
            self._left -= 1
            self._waiting.popleft()()
        self._is_next_due = self._left < self._per_turn
        if self._is_next_due:
            asyncio.get_running_loop().call_soon(self._next)


class FirstWords:
    """What a connection says first: it is heard when its turn has come, and not read on before.

    Args:
        turns: Shared by all newcomers.
        begin: Called with the first data; the connection has to forget this object in there.
    """

    __slots__ = ("_begin", "_turns")

    def __init__(self, turns: Turns, begin: Callable[[bytes], None]) -> None:
        self._turns = turns
        self._begin = begin

    def hear(self, transport: asyncio.Transport | None, data: bytes) -> None:
        """Take the first data.

        Args:
            transport: Where it has come from; None if that is gone.
            data: What has come.
        """
        if transport is None or self._turns.may_pass():
            self._begin(data)
            return
        transport.pause_reading()

        def go_on() -> None:
            if not transport.is_closing():
                transport.resume_reading()
            self._begin(data)

        self._turns.call_later(go_on)
