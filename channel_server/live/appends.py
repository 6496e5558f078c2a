"""What this node appends to the journal while it records: in the order in which it was heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Final

from channel_server.core.ahead import Ahead
from channel_server.core.journal_state import Appended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from channel_server.core.journal_state import Bounds
    from channel_server.core.unseen import Heard
    from channel_server.live.seams import Appender

_STOP_S: Final = 1.0


class Appends:
    """A queue in front of the journal. One append is under way at a time: so order is kept.

    Args:
        appender: The journal.
        bounds: Of the journal.
        answered: Called with what became of an append, and with Redis' error code.

    Attributes:
        must_admit_gap: Clients may have missed something that is not in the journal.
        gaps_admitted: How many gaps were appended.
    """

    def __init__(
        self, appender: Appender, bounds: Bounds, answered: Callable[[Appended, str], None]
    ) -> None:
        self._appender = appender
        self._answered = answered
        self._ahead = Ahead(max_bytes=bounds.max_bytes, max_entries=bounds.max_entries)
        self._queue: deque[Heard] = deque()
        self._is_on = False
        self._is_under_way = False
        self._is_gap_under_way = False
        self._is_flush_due = False
        self._idled = asyncio.Event()
        self.must_admit_gap = False
        self.gaps_admitted = 0

    def start(self, messages: Iterable[Heard]) -> None:
        """Append these, and what is added from now on."""
        self._is_on = True
        self._queue = deque(messages)
        self._flush_soon()

    def stop(self) -> None:
        """Append nothing more. A gap of which nobody knows if it was appended is admitted again."""
        self._is_on = False
        self.must_admit_gap = self.must_admit_gap or self._is_gap_under_way
        self._is_under_way = self._is_gap_under_way = False
        self._queue.clear()
        self._ahead.clear()

    def add(self, *messages: Heard) -> None:
        """Append these, too, with all that come in this turn of the loop."""
        self._queue.extend(messages)
        self._flush_soon()

    def remove(self, heard: Heard) -> bool:
        """Do not append a message after all. Return False if it was appended, or is just now."""
        if not self._queue or heard.at_s < self._queue[0].at_s:
            return False
        try:
            self._queue.remove(heard)
        except ValueError:
            return False
        return True

    def read_to(self, position: int) -> None:
        """The journal has been read up to here: more may be appended."""
        self._ahead.read_to(position)
        if self._queue:
            self._flush_soon()

    def forget_ahead(self) -> frozenset[Heard]:
        """What was appended will not be read. Return what has yet to be appended."""
        self._ahead.clear()
        return frozenset(self._queue)

    @property
    def is_idle(self) -> bool:
        """Whether everything has been sent, on the connection of the lease."""
        return not self._queue

    @property
    def is_done(self) -> bool:
        """Whether everything is in the journal for certain."""
        return not (self._queue or self._is_under_way or self.must_admit_gap)

    async def finish(self) -> None:
        """Return when everything has been appended; after a second at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while self._queue or self._is_under_way:
                    self._idled.clear()
                    await self._idled.wait()

    def _flush_soon(self) -> None:
        if self._is_on and not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        if not self._is_on or self._is_under_way:
            return
        batch = self._ahead.take(self._queue)
        if not (batch or self.must_admit_gap):
            return
        contents = [heard.content for heard in batch]
        has_gap, self.must_admit_gap = self.must_admit_gap, False
        answer = partial(self._appended, has_gap=has_gap)
        if self._appender.append(contents, answer, after_gap=has_gap):
            self._is_under_way, self._is_gap_under_way = True, has_gap
        else:
            self.must_admit_gap = has_gap
            self._ahead.clear()
            self._queue.extendleft(reversed(batch))

    def _appended(self, outcome: Appended, code: str, position: int, *, has_gap: bool) -> None:
        self._is_under_way = self._is_gap_under_way = False
        self._idled.set()
        if outcome is Appended.YES:
            self.gaps_admitted += has_gap
            self._ahead.appended(position)
        elif has_gap:
            self.must_admit_gap = True
        self._answered(outcome, code)
        self._flush()
