"""The seam between building messages and talking to Redis."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Command:
    """One Redis command, complete and checked.

    Attributes:
        words: Name and arguments in order. Not shown by ``repr``: they hold payloads and tokens.
        is_repeatable: It is sent again if its answer is lost, which does no harm.
    """

    is_repeatable: ClassVar = False
    words: tuple[str | bytes | int, ...] = field(repr=False)


class Repeatable(Command):
    """One that is sent again if its answer is lost."""

    __slots__ = ()
    is_repeatable: ClassVar = True


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands that are all written before the first answer is read.

    The answer to it is a list: for each command its answer, or the ``RedisRefused`` that it got.

    Attributes:
        commands: In order; their answers together have to fit into the buffers of a socket.
    """

    commands: tuple[Command, ...]
    is_repeatable: ClassVar = False
