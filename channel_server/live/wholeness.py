"""Whether the journal is known to hold everything that is published: who returns may rely on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal_state import JournalState
    from channel_server.live.recorder import Recorder

_PROVEN_MS: Final = 2_500


class Wholeness:
    """Judges, whenever something is known anew.

    Args:
        recorder: Its trouble, and the gaps that it has admitted or has yet to admit.
        position: How far this node has read the journal.
        are_gaps_admitted: False if nobody publishes plainly: then nothing can be missed.

    Attributes:
        event: Set while the journal is whole.
    """

    def __init__(
        self, recorder: Recorder, position: Callable[[], int], *, are_gaps_admitted: bool
    ) -> None:
        self._recorder = recorder
        self._position = position
        self._are_gaps_admitted = are_gaps_admitted
        self._is_loaded = False
        self._gaps_admitted = 0
        self._from = 0
        self.event = asyncio.Event()

    @property
    def is_doubtful(self) -> bool:
        """Whether it will be known soon if it is whole."""
        return not self.event.is_set() and not self._recorder.trouble

    def loaded(self) -> None:
        """All of the past has been read."""
        self._is_loaded = True

    def deaf(self) -> None:
        """This node does not hear what is published."""
        if self._are_gaps_admitted:
            self.event.clear()

    def troubled(self) -> None:
        """The journal does not work."""
        self.event.clear()

    def begun(self) -> None:
        """A new epoch has begun: what was admitted in the old one is told by its end."""
        self._from = 0

    def admitted(self, position: int) -> None:
        """There is a gap in the journal, here or before: who stands before it has yet to be told."""
        self._from = position

    def appended(self, gaps: int, last: int) -> None:
        """The gaps that this node has appended are in the journal by now.

        Args:
            gaps: How many there have been.
            last: The newest entry.
        """
        if gaps > self._gaps_admitted:
            self._gaps_admitted, self._from = gaps, last

    def judge(self, state: JournalState, covered_from: int | None) -> None:
        """Find out whether the journal holds all that is published, as of this moment.

        Somebody has the lease, has proven of late that it hears, and has done so since this node
        hears, too: else its word may be the last one of a node that is dead.

        Args:
            state: The journal as of the last tick.
            covered_from: Since when this node hears.
        """
        is_proven = not self._are_gaps_admitted or (
            covered_from is not None
            and state.covered_to is not None
            and state.covered_to >= max(covered_from, (state.now_ms - _PROVEN_MS) * 1000)
        )
        appends = self._recorder.appends
        is_told = (
            self._position() >= self._from
            and not appends.must_admit_gap
            and appends.gaps_admitted == self._gaps_admitted
        )
        if self._is_loaded and is_proven and is_told and not self._recorder.trouble:
            self.event.set()
        else:
            self.event.clear()
