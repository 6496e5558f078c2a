"""Many messages in one round trip: collected, then published together, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from publisher.errors import BatchIncomplete, PublishError, RedisRefused
from publisher.messages import notice_command, records_command
from publisher.models import models_command
from publisher.scripts import LOST, PUBLISH_BATCH
from publisher.steps import CANNOT_KEEP

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from publisher.command import Command
    from publisher.serializers import Serializer
    from publisher.steps import Journaling, Steps

_MESSAGES_MAX: Final = 1_000
_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one script: Redis does nothing else meanwhile, for about 15 ms."""


class Batch:
    """Messages that are published when the ``with`` block ends; none, if it ends with an error.

    Attributes:
        heard: How many subscribers heard each message, in order; empty before it was published.
    """

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self.heard: list[int] = []

    def publish_records(
        self,
        records: Mapping[str, object] | None,
        *,
        group_id: int | None = None,
        user_id: int | None = None,
    ) -> None:
        """Add records; arguments as for ``Publisher.publish_records``.

        Raises:
            InvalidMessage: If an argument is wrong.
        """
        self._add(records_command(records, group_id, user_id))

    def publish_models(
        self,
        models: object,
        *,
        serializer: type[Serializer[Any]] | None = None,
        scope: Mapping[str, Any] | None = None,
        root: str | None = None,
        group_id: int | None = None,
        user_id: int | None = None,
        omit_empty: bool = False,
    ) -> None:
        """Add models, serialised as they are now; arguments as for ``Publisher.publish_models``.

        Raises:
            InvalidMessage: If an argument is wrong, or a model cannot be serialised.
        """
        command = models_command(
            models,
            serializer=serializer,
            scope=scope,
            root=root,
            group_id=group_id,
            user_id=user_id,
            omit_empty=omit_empty,
        )
        self._add(command)

    def publish_system_notice(
        self, notice: str | None, *, version: str | None = None, reload: bool = False
    ) -> None:
        """Add a notice; arguments as for ``Publisher.publish_system_notice``.

        Raises:
            InvalidMessage: If an argument is wrong.
        """
        self._add(notice_command(notice, version, reload=reload))

    def __len__(self) -> int:
        return len(self._commands)

    def _add(self, command: Command | None) -> None:
        if command is not None:
            self._commands.append(command)

    def steps(self, journaling: Journaling) -> Steps:
        """Publish them.

        Raises:
            BatchIncomplete: If not all could be; what was sent before stays sent.
        """
        try:
            for commands in _parts(self._commands):
                yield from self._publish(journaling, commands)
        except PublishError as error:
            rest = range(len(self.heard), len(self._commands))
            unsent = () if error.maybe_sent else tuple(rest)
            raise BatchIncomplete(tuple(range(len(self.heard))), unsent, error) from error
        places = {place for place, count in enumerate(self.heard) if count == LOST}
        if places:
            sent = tuple(place for place in range(len(self.heard)) if place not in places)
            cause = RedisRefused("JOURNAL", CANNOT_KEEP)
            raise BatchIncomplete(sent, tuple(sorted(places)), cause)

    def _publish(self, journaling: Journaling, commands: list[Command]) -> Steps:
        """Publish some in one step, or one after the other where Redis allows no scripts."""
        arguments = [word for command in commands for word in command.words[1:]]
        if journaling.may_script:
            try:
                reply = yield from journaling.run(PUBLISH_BATCH, None, (), *arguments)
            except RedisRefused as refused:
                if not refused.is_about_scripts:
                    raise
            else:
                text = reply.decode() if isinstance(reply, bytes) else str(reply)
                self.heard += map(int, text.split(","))
                return
        for command in commands:
            self.heard.append((yield from journaling.publish(command)))


def _parts(commands: Sequence[Command]) -> Iterator[list[Command]]:
    """As many as go into one script each."""
    part: list[Command] = []
    size = 0
    for command in commands:
        length = len(command.words[2])  # type: ignore[arg-type]
        if part and (len(part) == _MESSAGES_MAX or size + length > _BYTES_MAX):
            yield part
            part, size = [], 0
        part.append(command)
        size += length
    if part:
        yield part
