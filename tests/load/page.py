"""The page about a load test, and its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.load.chart import Line, Panel, picture
from tests.load.participant import RECOVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.load.findings import Findings, Row

_PAGE: Final = """\
# Load

`make load` writes this page. It starts the server of `make run` with a Redis of its own, and, for {seconds} seconds, {users}
users of [locust](../tests/load/locustfile.py): one publishes, the others are browsers. They begin by polling and upgrade to a
WebSocket, as the stock client does; one in ten can only poll. Each loses its network every half minute, without a word, returns
after a second with what the stock client remembers, and must get what was published meanwhile. A lost message fails the run, and
so does an error in the server's log. All users are one process, on the machine of the server: times are of both together.

{machine}

{verdict}

{rows}

Times are in ms, as locust rounds them. It lets new users in by the second, a tenth of them at once: that is what
`connect` and the slowest of `upgrade` show. What each row counts, and how to put load on a server of one's own, from the command
line or from locust's page, is written at the top of [tests/load/locustfile.py](../tests/load/locustfile.py).

## From publishing to receiving

![Percentiles of the latency, for each second](load-latency.svg)

Without the messages that came after a cut.

## Messages

![Messages received and published, for each second](load-messages.svg)

## Cuts and recoveries

![Listeners that are connected, and recoveries, for each second](load-users.svg)
"""


def write(
    folder: Path,
    findings: Findings,
    *,
    users: int,
    seconds: int,
    facts: Mapping[str, str],
    problems: Sequence[str],
) -> None:
    """Write ``load.md`` and its pictures.

    Args:
        folder: Where to.
        findings: Of the run.
        users: How many there were, the publisher included.
        seconds: How long it took.
        facts: About where and how it was run.
        problems: Why it has failed; empty if it has not.
    """
    page = _PAGE.format(
        users=users,
        seconds=seconds,
        machine="\n".join(f"- {name}: {fact}" for name, fact in facts.items()),
        verdict="\n\n".join(verdict(findings, problems)),
        rows=_table(findings.rows),
    )
    (folder / "load.md").write_text(page)
    for name, panels in _panels(findings).items():
        (folder / f"load-{name}.svg").write_text(picture(panels))


def verdict(findings: Findings, problems: Sequence[str]) -> list[str]:
    """The outcome in a few lines: what came and what did not, then the problems."""
    returns = findings.row(RECOVER)
    recovered = f"{returns.count - returns.failures:,} of {returns.count:,} returns recovered"
    messages = f"{findings.received:,} messages received, {findings.lost:,} lost"
    return [f"**{messages}; {recovered}.**", *(f"FAIL: {problem}" for problem in problems)]


def _table(rows: Sequence[Row]) -> str:
    lines = ["| | count | failures | p50 | p95 | p99 | longest |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        times = " | ".join(f"{ms:,.0f}" for ms in (row.p50_ms, row.p95_ms, row.p99_ms, row.max_ms))
        lines.append(f"| {row.kind} {row.name} | {row.count:,} | {row.failures:,} | {times} |")
    return "\n".join(lines)


def _panels(findings: Findings) -> dict[str, list[Panel]]:
    """By picture."""

    def line(name: str, attribute: str) -> Line:
        return Line(name, [getattr(moment, attribute) for moment in findings.moments])

    return {
        "latency": [
            Panel(
                "From publishing to receiving, ms",
                [line("p50", "p50_ms"), line("p95", "p95_ms"), line("p99", "p99_ms")],
            )
        ],
        "messages": [
            Panel(
                "Messages received per second",
                [line("at once", "received"), line("after a cut", "caught_up")],
            ),
            Panel("Messages published per second", [line("", "published")]),
        ],
        "users": [
            Panel("Listeners that are connected", [line("", "online")]),
            Panel("Recoveries per second", [line("", "recovered")]),
        ],
    }
