"""How something is done to Redis that may take several commands. Pure: commands out, answers in.

Each function is a generator: it yields a command, is sent the answer or thrown the error, and
returns the result. ``publisher.link`` and ``publisher.aio_link`` drive them.
"""

from __future__ import annotations

import logging
import secrets
from typing import TYPE_CHECKING, Any, Final

from publisher.command import Command
from publisher.contract.journal import JOURNAL, MAX_MESSAGE_BYTES, SENT, STATE
from publisher.errors import InvalidMessage, RedisRefused, ReplyLost
from publisher.scripts import FOR_NOBODY, LOST, PUBLISH

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import TypeAlias

    from publisher.command import Pipeline
    from publisher.scripts import Script

    Steps: TypeAlias = Generator[Command | Pipeline, Any, Any]

log = logging.getLogger(__name__)

_ATTEMPTS: Final = 3
CANNOT_KEEP: Final = (
    "the journal cannot be written (out of memory, a replica, a key of the wrong type, or a message "
    "of more than a quarter of it), and no "
    "channel server listens: the message is lost"
)
_FOR_NOBODY: Final = FOR_NOBODY.encode()


class Journaling:
    """Whether messages are appended to the journal, and what was learnt about this Redis.

    Args:
        is_wanted: As the settings say.
        max_message_bytes: As the settings say.
        is_cluster: As their URL says.

    Attributes:
        is_cluster: A script cannot have the keys of tokens beside ours.
        may_script: False once Redis has refused a script that need not have been one.
    """

    def __init__(
        self,
        *,
        is_wanted: bool,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        is_cluster: bool = False,
    ) -> None:
        self.is_wanted = is_wanted
        self.is_cluster = is_cluster
        self._max_message_bytes = max_message_bytes
        self.may_script = True

    def check(self, plain: Command) -> None:
        """Refuse a message that is too large.

        Args:
            plain: ``PUBLISH`` with channel and payload.

        Raises:
            InvalidMessage: With its size, and the bound.
        """
        size = len(plain.words[2])  # type: ignore[arg-type]  # a payload is bytes
        if size > self._max_message_bytes:
            problem = f"has {size} bytes, and at most {self._max_message_bytes} are sent"
            raise InvalidMessage("message", f"{problem} (MAX_MESSAGE_MIB, max_message_bytes)")

    def publish(self, plain: Command, *, is_kept: bool = True) -> Steps:
        """Publish a message so that no channel server misses it.

        Args:
            plain: ``PUBLISH`` with channel and payload: all that can be done where Redis allows
                no scripts.
            is_kept: Append it to the journal, if there is one.

        Returns:
            How many subscribers heard it.

        Raises:
            RedisRefused: If the journal cannot be written and no channel server listens.
            InvalidMessage: If the message is too large.
            PublishError: What sending a command raises. An answer that was lost is asked for
                again, twice; by that, nothing is published twice.
        """
        self.check(plain)
        _, channel, payload = plain.words
        if _is_for_nobody(payload):
            return int((yield plain))
        steps = self.run(PUBLISH, plain, (), channel=channel, payload=payload, is_kept=is_kept)
        return int((yield from steps))

    def run(
        self,
        script: Script,
        plain: Command | None,
        keys: Sequence[str],
        *arguments: str | bytes | int,
        channel: str | bytes | int = "",
        payload: str | bytes | int = b"",
        is_kept: bool = True,
    ) -> Steps:
        """Run a script, once for all that it is asked for.

        Args:
            script: One of ``publisher.scripts``.
            plain: To do instead where Redis allows no scripts; None: that is an error.
            keys: The script's own.
            arguments: The script's own.
            channel: Redis channel of what it publishes.
            payload: What it publishes.
            is_kept: Append that to the journal, if there is one.

        Raises:
            RedisRefused: If the journal cannot be written and no channel server listens. What else
                the script does is done, and done again if it is repeated.
            PublishError: As for ``publish``.
        """
        if not self.may_script and plain is not None:
            return (yield plain)
        words: tuple[str | bytes | int, ...] = (
            3 + len(keys),
            JOURNAL,
            STATE,
            SENT + secrets.token_hex(12),
            *keys,
            channel,
            payload,
            secrets.token_urlsafe(6),
            int(self.is_wanted and is_kept),
            *arguments,
        )
        try:
            reply = yield from _until_answered(script, words)
        except RedisRefused as refused:
            if plain is None or not refused.is_about_scripts:
                raise
        else:
            if reply == LOST:
                raise RedisRefused("JOURNAL", CANNOT_KEEP)
            return reply
        self.do_without_scripts()
        return (yield plain)

    def run_at(self, script: Script, key: str, *arguments: str | bytes | int) -> Steps:
        """Run a script on one key, wherever it is; it may be repeated. Raises ``PublishError``."""
        return (yield from _until_answered(script, (1, key, *arguments)))

    def do_without_scripts(self) -> None:
        """Redis has refused one. Said once."""
        if self.may_script:
            self.may_script = False
            if self.is_wanted:
                log.warning(
                    "Redis allows no scripts: messages are published plainly, and are lost on "
                    "channel servers that are down at that moment"
                )


def _until_answered(script: Script, words: tuple[str | bytes | int, ...]) -> Steps:
    """Ask again, in full if Redis does not know the script, and when an answer was lost.

    At a replica once: it has become one lately, and a new connection may lead to the primary.
    """
    command = Command(("EVALSHA", script.sha1, *words))
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
            command = Command(("EVAL", script.source, *words))


def _is_for_nobody(payload: object) -> bool:
    """Whether a message names no room."""
    return isinstance(payload, bytes) and payload.startswith(_FOR_NOBODY)
