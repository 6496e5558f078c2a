"""The seam between building messages and talking to Redis."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """One Redis command, complete and checked.

    Attributes:
        words: Name and arguments in order. Not shown by ``repr``: they hold payloads and tokens.
    """

    words: tuple[str | bytes | int, ...] = field(repr=False)
