"""The seam between building messages and talking to Redis."""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Command:
    """One Redis command, complete and checked.

    Attributes:
        words: Name and arguments in order. Not shown by ``repr``: they hold payloads and tokens.
        is_repeatable: It is sent again if its answer is lost, which does no harm.
    """

    __slots__ = ("words",)
    is_repeatable: ClassVar = False

    def __init__(self, words: tuple[str | bytes | int, ...]) -> None:
        self.words = words

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Command) and self.words == other.words

    def __hash__(self) -> int:
        return hash(self.words)


class Repeatable(Command):
    """One that is sent again if its answer is lost."""

    __slots__ = ()
    is_repeatable: ClassVar = True


class Pipeline(NamedTuple):
    """Commands that are all written before the first answer is read.

    The answer to it is a list: for each command its answer, or the ``RedisRefused`` that it got.

    Attributes:
        commands: In order; their answers together have to fit into the buffers of a socket.
    """

    commands: tuple[Command, ...]

    @property
    def is_repeatable(self) -> bool:
        """Never: some of them may have been done."""
        return False
