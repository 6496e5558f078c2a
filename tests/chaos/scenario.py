"""One row of the table: what happens, and what must be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault, and the load under which it happens.

    Attributes:
        title: What happens, and what is published.
        run: Does it on a stage of its own.
        has_peer: Whether the Node program can take part.
    """

    title: str
    run: Callable[[Stage], Awaitable[Outcome]]
    has_peer: bool = False
