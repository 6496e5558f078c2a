"""How long to wait before the next attempt to reach Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_S: Final = 0.05
_LONGEST_S: Final = 5.0
_MAX_DOUBLINGS: Final = 10


def growing(random: Callable[[], float]) -> Callable[[int], float]:
    """Back-off that doubles from 50 ms to 5 s, each pause between half and the whole of it.

    Args:
        random: 0.0 to 1.0; keeps many servers from returning in the same moment.

    Returns:
        From the number of the attempt (1, 2, …) to seconds.
    """

    def pause_s(attempt: int) -> float:
        longest = min(_FIRST_S * 2.0 ** min(attempt - 1, _MAX_DOUBLINGS), _LONGEST_S)
        return longest * (0.5 + random() / 2)

    return pause_s
