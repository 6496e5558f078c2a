"""What happened in each second of a load test. Pure: the time is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Moment(NamedTuple):
    """One second of a load test, as a picture shows it.

    Attributes:
        second: Since the start.
        online: Listeners that are connected, at its end.
        published: Messages.
        received: The same messages, once for each listener that got one at once.
        caught_up: Those that came later, because the listener was away.
        recovered: Listeners that returned and were told that they have missed nothing.
        p50_ms, p95_ms, p99_ms: From publishing to receiving, of what was ``received`` in this
            second; None if nothing was.
    """

    second: int
    online: int
    published: int
    received: int
    caught_up: int
    recovered: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


@dataclass(slots=True)
class _Second:
    online: int = 0
    published: int = 0
    caught_up: int = 0
    recovered: int = 0
    latencies_ms: list[float] = field(default_factory=list)


class Timeline:
    """Notes what happens, second by second.

    Args:
        start_s: When the test started, on the clock of ``now_s``.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._now = _Second()
        self._moments: list[Moment] = []

    def published(self, now_s: float, *, online: int) -> None:
        """A message went out while this many listeners were connected."""
        second = self._second(now_s)
        second.published += 1
        second.online = online

    def received(self, now_s: float, latency_ms: float) -> None:
        """A listener got a message at once."""
        self._second(now_s).latencies_ms.append(latency_ms)

    def caught_up(self, now_s: float) -> None:
        """A listener got a message that was published while it was away."""
        self._second(now_s).caught_up += 1

    def recovered(self, now_s: float) -> None:
        """A listener returned, and has missed nothing."""
        self._second(now_s).recovered += 1

    def moments(self) -> list[Moment]:
        """All whole seconds from the start to the last in which a message was published.

        What comes later is the end of the test: listeners leave, and a picture would show it as
        a collapse.
        """
        busy = [moment.second for moment in self._moments if moment.published]
        return self._moments[: busy[-1]] if busy else []

    def _second(self, now_s: float) -> _Second:
        """The second that is running; those before it become moments, which take no memory."""
        while len(self._moments) < int(now_s - self._start_s):
            self._moments.append(_moment(len(self._moments), self._now))
            self._now = _Second()
        return self._now


def _moment(number: int, second: _Second) -> Moment:
    latencies_ms = sorted(second.latencies_ms)
    return Moment(
        second=number,
        online=second.online,
        published=second.published,
        received=len(latencies_ms),
        caught_up=second.caught_up,
        recovered=second.recovered,
        p50_ms=_percentile(latencies_ms, 50),
        p95_ms=_percentile(latencies_ms, 95),
        p99_ms=_percentile(latencies_ms, 99),
    )


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    """Nearest rank; None of nothing."""
    if not ordered:
        return None
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]
