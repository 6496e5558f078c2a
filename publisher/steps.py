"""How something is done to Redis that may take several commands. Pure: commands out, answers in.

Each function is a generator: it yields a command, is sent the answer or thrown the error, and
returns the result. ``publisher.link`` and ``publisher.aio_link`` drive them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from publisher.command import Command, Repeatable
from publisher.errors import RedisRefused, ReplyLost

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeAlias

    from publisher.command import Pipeline
    from publisher.scripts import Script

    Steps: TypeAlias = Generator[Command | Pipeline, Any, Any]

_ATTEMPTS: Final = 3


def one(command: Command) -> Steps:
    """A command as steps."""
    return (yield command)


def until_answered(script: Script, words: tuple[str | bytes | int, ...]) -> Steps:
    """Ask again, in full if Redis does not know the script, and when an answer was lost.

    At a replica once: it has become one lately, and a new connection may lead to the primary.
    """
    command = Repeatable(("EVALSHA", script.sha1, *words))
    attempts = _ATTEMPTS
    was_replica = False
    while True:
        try:
            return (yield command)
        except ReplyLost:
            attempts -= 1
            if not attempts:
                raise
        except RedisRefused as refused:
            if refused.code == "READONLY" and not was_replica:
                was_replica = True
                continue
            if refused.code != "NOSCRIPT":
                raise
            command = Repeatable(("EVAL", script.source, *words))
