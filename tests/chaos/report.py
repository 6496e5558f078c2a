"""The outcomes as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tests.bench.servers import OURS, TITLES
from tests.chaos.outcome import Outcome
from tests.chaos.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

Results = dict[tuple[str, str], list[Outcome | str]]
"""For each scenario and server: the outcome of each run, or why there is none."""

_COLUMNS = ("delivered", "lost", "twice", "recovered", "p99 ms", "longest")


def table(results: Results) -> Table:
    """A line for each scenario and server; of several runs, the worst."""
    result = Table("scenario", "server", *_COLUMNS, "runs", "shown", show_lines=True)
    for column in result.columns[1:-1]:
        column.justify = "right"
        column.no_wrap = True
    for (scenario, server), runs in results.items():
        outcomes = [run for run in runs if isinstance(run, Outcome)]
        good = sum(not outcome.missed for outcome in outcomes)
        cells = _cells(outcomes) if outcomes else ("-",) * len(_COLUMNS)
        result.add_row(
            Text(SCENARIOS[scenario].title),
            TITLES[server] if server == OURS else f"{TITLES[server]}, plain",
            *cells,
            Text(f"{good}/{len(runs)}", style="green" if good == len(runs) else "bold red"),
            _shown(runs),
        )
    return result


def _cells(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    tallies = [outcome.tally for outcome in outcomes]
    returns = sum(tally.recovered + tally.unrecovered for tally in tallies)
    recovered = sum(tally.recovered for tally in tallies)
    received = sum(tally.received for tally in tallies)
    return (
        f"{_percent(min(tally.delivered / max(tally.owed, 1) for tally in tallies))}",
        f"{max(tally.owed - tally.delivered for tally in tallies):,}",
        f"{_percent(sum(tally.twice for tally in tallies) / max(received, 1))}",
        f"{recovered:,}/{returns:,}",
        f"{max(tally.p99_ms for tally in tallies):,.0f}",
        f"{max(tally.max_ms for tally in tallies):,.0f}",
    )


def _percent(share: float) -> str:
    """Two digits, and 0 or 100 only if it is exactly that."""
    if share in {0, 1}:
        return f"{share:.0%}"
    return f"{min(max(share, 0.0001), 0.9999):.2%}"


def _shown(runs: Sequence[Outcome | str]) -> Text:
    """The special checks of the worst run, what it missed, and how runs failed altogether."""
    lines = [Text(run, style="bold red") for run in runs if isinstance(run, str)]
    outcomes = [run for run in runs if isinstance(run, Outcome)]
    if outcomes:
        worst = max(outcomes, key=lambda outcome: len(outcome.missed))
        tally = worst.tally
        if tally.admitted or tally.unnoticed:
            lines.append(Text(f"missing: {tally.admitted:,} admitted, {tally.unnoticed:,} not"))
        lines += [
            Text(check.text, style="green" if check.is_met else "bold red")
            for check in worst.checks
            if check.is_special or not check.is_met
        ]
    return Text("\n").join(lines)
