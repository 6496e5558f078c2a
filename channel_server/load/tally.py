"""What a load test counts."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Tally:
    """Counts of all clients together; times in seconds.

    Attributes:
        connected: Clients that got their CONNECT reply.
        online: Those of them that are still there.
        failed: Those that did not get it, by reason.
        dropped: Those that lost their connection before the end, by reason.
        connect_s: From the TCP connection to the CONNECT reply, of each.
        events: Events received, of whatever kind.
        received_bytes: What these had.
        published: Messages of this test.
        expected: How many times they should have been received.
        received: How many times they were.
        again: How many times they were received once more.
        latency_s: From publishing to receiving.
    """

    connected: int = 0
    online: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    connect_s: list[float] = field(default_factory=list)
    events: int = 0
    received_bytes: int = 0
    published: int = 0
    expected: int = 0
    received: int = 0
    again: int = 0
    latency_s: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """Messages that somebody did not get."""
        return self.expected - self.received

    @property
    def is_lossless(self) -> bool:
        """Whether all came, and everybody stayed."""
        return not (self.lost or self.again or self.failed or self.dropped)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of all lies; NaN if there are none."""
    if not values:
        return math.nan
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
