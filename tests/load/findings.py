"""What a load test leaves in a file for the page that is made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import orjson

from tests.load.timeline import Moment

if TYPE_CHECKING:
    from pathlib import Path

    from locust.stats import RequestStats, StatsEntry


class Row(NamedTuple):
    """One row of locust's report.

    Attributes:
        count: Successes and failures.
        p50_ms, p95_ms, p99_ms, max_ms: As locust rounds them; 0 if it took no time that counts.
    """

    kind: str
    name: str
    count: int
    failures: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


class Findings(NamedTuple):
    """All of it.

    Attributes:
        received: Messages, once for each listener that got one.
        lost: Messages that a listener was owed and did not get.
    """

    received: int
    lost: int
    rows: list[Row]
    moments: list[Moment]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what ``write`` has written."""
        content = orjson.loads(path.read_bytes())
        return cls(
            content["received"],
            content["lost"],
            [Row(*row) for row in content["rows"]],
            [Moment(*moment) for moment in content["moments"]],
        )

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_bytes(orjson.dumps(self._asdict(), default=tuple, option=orjson.OPT_INDENT_2))

    def row(self, row: tuple[str, str]) -> Row:
        """The row of this type and name; an empty one if nothing was counted in it."""
        found = (one for one in self.rows if (one.kind, one.name) == row)
        return next(found, Row(*row, 0, 0, 0, 0, 0, 0))


def rows_of(stats: RequestStats) -> list[Row]:
    """The rows of locust's report."""
    return [_row(entry) for _, entry in sorted(stats.entries.items())]


def _row(entry: StatsEntry) -> Row:
    return Row(
        entry.method,
        entry.name,
        entry.num_requests,
        entry.num_failures,
        *(entry.get_response_time_percentile(share) for share in (0.5, 0.95, 0.99)),
        entry.max_response_time,
    )
