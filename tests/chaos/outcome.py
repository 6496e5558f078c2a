"""What a scenario has shown, and what it had to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.tally import Tally


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so for our server.

    Attributes:
        text: What it is, with what was measured.
        is_met: Whether it is so.
        is_timing: It depends on the machine: not for a test that must pass on every one.
        is_special: Only this scenario looks at it, so the table shows it in any case.
    """

    text: str
    is_met: bool
    is_timing: bool = False
    is_special: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run of one scenario."""

    tally: Tally
    checks: tuple[Check, ...]

    @property
    def missed(self) -> list[Check]:
        """Checks that are not met."""
        return [check for check in self.checks if not check.is_met]


def close(tally: Tally, *checks: Check, twice: float) -> Outcome:
    """The outcome of a run, with the checks that every scenario has.

    Args:
        checks: Those of this scenario.
        twice: Share of the received messages that may have come before.
    """
    always = (
        _common(f"{tally.owed - tally.delivered} lost", tally.delivered == tally.owed),
        _common(f"{tally.concealed} lost and told complete", tally.concealed == 0),
        _common(f"{tally.twice} twice", tally.twice <= twice * tally.received),
        _common(f"{tally.late} out of order", tally.late == 0),
        _common(f"{tally.foreign} of a foreign room", tally.foreign == 0),
        _common(f"{tally.backwards} offsets backwards", tally.backwards == 0),
        _common(f"{tally.dismissed} sent away for good", tally.dismissed == 0),
        _common("nothing published", tally.messages > 0),
    )
    return Outcome(tally, checks + always)


def _common(text: str, is_met: bool) -> Check:  # noqa: FBT001 - reads as a sentence
    return Check(text, is_met, is_special=False)
