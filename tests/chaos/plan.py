"""How long everything takes, and how many clients there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tests.chaos.pace import Pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One length of all scenarios.

    Attributes:
        seconds: How long messages are published, about, in a scenario.
        clients: In every scenario but the one below.
        returning: Clients that return at once.
        per_s: Messages a second, of all publishers together.
        polling: Share of the clients that use HTTP long-polling.
        half_open: Share of the cuts that the server is not told of.
        down_s: How long a killed server stays away.
        pause_s: How long Redis is stopped.
        probe_s: ``PROBE_SECONDS``.
        drain_s: ``DRAIN_SECONDS``.
        write_s: ``WRITE_SECONDS``.
        write_limit_kib: ``WRITE_LIMIT_KIB``.
        flood_per_s: Messages of 20 KB a second that a slow reader's room gets.
        twice: Share of the received messages that may come twice when a server or Redis fails.
        settle_s: At the end, how long to wait for what is under way, at most.
    """

    seconds: float
    clients: int = 300
    returning: int
    per_s: float = 2.0
    polling: float = 0.1
    half_open: float = 0.2
    pace: Pace = field(default_factory=Pace)
    down_s: float = 2.0
    pause_s: float
    probe_s: int
    drain_s: int
    write_s: int
    write_limit_kib: int
    flood_per_s: float = 10.0
    twice: float = 0.01
    settle_s: float = 15.0

    @property
    def settings(self) -> dict[str, str]:
        """What every node of ours is told."""
        return {
            "PROBE_SECONDS": str(self.probe_s),
            "DRAIN_SECONDS": str(self.drain_s),
            "WRITE_SECONDS": str(self.write_s),
            "WRITE_LIMIT_KIB": str(self.write_limit_kib),
        }


FULL: Final = Plan(
    seconds=30,
    returning=2000,
    pause_s=20,
    probe_s=5,
    drain_s=5,
    write_s=5,
    write_limit_kib=1024,
)
SHORT: Final = Plan(
    seconds=5,
    returning=500,
    per_s=4,
    pace=Pace(cut_every_s=3, offline_s=0.7, delay_s=0.2, delay_max_s=1),
    down_s=1,
    pause_s=6,
    probe_s=1,
    drain_s=2,
    write_s=2,
    write_limit_kib=256,
    flood_per_s=30,
    twice=0.03,  # the fault takes a larger part of the run
    settle_s=10,
)
