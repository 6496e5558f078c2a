"""How long a message waits for a journal that says nothing: a second."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.unseen import Heard

_PATIENCE_S: Final = 1.0
_SILENCE_S: Final = 2.0
"""With no message waiting."""


class Patience:
    """Watches the two connections to the journal: one asks, the other reads.

    A node that is busy is none that waits: as long as the position moves, the journal is read.

    Args:
        position: How far this node has read the journal.
        clock: Monotonic seconds.
    """

    def __init__(self, position: Callable[[], int], clock: Callable[[], float]) -> None:
        self._position = position
        self._clock = clock
        self._last_position = 0
        self._read_at_s = clock()

    def read(self) -> None:
        """The journal has been read, or has said that there is nothing new in it."""
        self._read_at_s = self._clock()

    def cannot_read(self, oldest: Heard | None) -> bool:
        """Tell whether a message has waited too long for the connection that reads."""
        if self._position() != self._last_position:
            # It may take a while until all is delivered that came with one answer.
            self._last_position = self._position()
            self.read()
        return self._is_late(oldest, self._read_at_s)

    def cannot_ask(self, oldest: Heard | None, answered_at_s: float, *, is_heard: bool) -> bool:
        """Tell whether the other one has been silent for too long.

        Args:
            oldest: The message that clients have been waiting for longest.
            answered_at_s: When it has last said anything.
            is_heard: The subscription stands: Redis is there.
        """
        is_silent = is_heard and answered_at_s < self._clock() - _SILENCE_S
        return is_silent or self._is_late(oldest, answered_at_s)

    def _is_late(self, oldest: Heard | None, spoke_at_s: float) -> bool:
        return oldest is not None and spoke_at_s < oldest.at_s < self._clock() - _PATIENCE_S
