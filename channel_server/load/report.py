"""What a load test has shown, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from channel_server.load.tally import percentile

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from channel_server.load.plan import Plan
    from channel_server.load.tally import Tally


_WHY: Final = ": nobody heard anything; is REDIS_URL that of the server?"


def table_of(plan: Plan, tally: Tally) -> Table:
    """All figures, one a row."""
    table = Table(title=f"{plan.clients} clients, {plan.seconds:g} s", show_header=False)
    table.add_row("connected", f"{tally.connected} of {plan.clients}")
    table.add_row("not connected", _by_reason(tally.failed))
    table.add_row("time to connect", _times(tally.connect_s))
    table.add_row("dropped", _by_reason(tally.dropped))
    table.add_row("events", f"{tally.events} ({tally.received_bytes / 1e6:.1f} MB)")
    if plan.publish:
        table.add_row("published", f"{tally.published}, to be received {tally.expected} times")
        table.add_row("received", f"{tally.received}")
        table.add_row(
            "lost", f"{tally.lost}{_WHY if tally.expected and not tally.received else ''}"
        )
        table.add_row("received again", f"{tally.again}")
        table.add_row("publish to receive", _times(tally.latency_s))
    return table


def _times(seconds: Sequence[float]) -> str:
    if not seconds:
        return "none"
    half, most, all_but_one = (percentile(seconds, share) * 1000 for share in (0.5, 0.95, 0.99))
    highest = max(seconds) * 1000
    return f"p50 {half:.1f}, p95 {most:.1f}, p99 {all_but_one:.1f}, highest {highest:.1f} ms"


def _by_reason(counts: Counter[str]) -> str:
    reasons = ", ".join(f"{count} x {reason}" for reason, count in counts.most_common())
    return reasons or "none"
