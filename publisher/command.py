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


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that are all written before the first answer is read.

    The answer to it is a list: for each command its answer, or the ``RedisRefused`` that it got.

    Attributes:
        commands: In order; their answers together have to fit into the buffers of a socket.
    """

    commands: tuple[Command, ...]
