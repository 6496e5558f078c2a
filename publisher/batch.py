"""Many messages in one round trip: collected, then published together, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from publisher.command import Pipeline
from publisher.errors import BatchIncomplete, InvalidMessage, PublishError, RedisUnavailable
from publisher.journaling import lost
from publisher.messages import notice_command, records_commands
from publisher.models import models_commands
from publisher.rooms import rooms_of
from publisher.scripts import LOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Unpack

    from publisher.command import Command
    from publisher.errors import RedisRefused
    from publisher.journaling import Journaling
    from publisher.models import HowAndWhere
    from publisher.rooms import Where
    from publisher.steps import Steps

_MESSAGES_MAX: Final = 1_000
_BYTES_MAX: Final = 4 * 1024 * 1024
"""Of one script: Redis does nothing else meanwhile, for about 15 ms."""


class Batch:
    """Messages that are published when the ``with`` block ends; none, if it ends with an error.

    Attributes:
        heard: How many subscribers heard each message, in order; -1 for one that is lost, empty
            before they were published.
    """

    def __init__(self) -> None:
        self._commands: list[Command] = []
        self._is_over = False
        self._begun = 0
        self._refusal: PublishError | None = None
        self.heard: list[int] = []

    def publish_records(
        self, records: Mapping[str, object] | None, **where: Unpack[Where]
    ) -> None:
        """Add records; arguments as for ``Publisher.publish_records``.

        Raises:
            InvalidMessage: If an argument is wrong.
        """
        self._add(records_commands(records, rooms_of(**where)))

    def publish_models(self, models: object, **how_and_where: Unpack[HowAndWhere]) -> None:
        """Add models, serialised as they are now; arguments as for ``Publisher.publish_models``.

        Raises:
            InvalidMessage: If an argument is wrong, or a model cannot be serialised.
        """
        self._add(models_commands(models, **how_and_where))

    def publish_system_notice(
        self, notice: str | None, *, version: str | None = None, reload: bool = False
    ) -> None:
        """Add a notice; arguments as for ``Publisher.publish_system_notice``.

        Raises:
            InvalidMessage: If an argument is wrong.
        """
        self._add([notice_command(notice, version, reload=reload)])

    def __len__(self) -> int:
        return len(self._commands)

    def _add(self, commands: Sequence[Command]) -> None:
        if self._is_over:
            raise InvalidMessage("batch", "is over: nothing can be added any more")
        self._commands += commands

    @classmethod
    def of(cls, commands: Sequence[Command]) -> Self:
        """A batch of messages that are made."""
        batch = cls()
        batch._add(commands)
        return batch

    def only(self, places: Iterable[int]) -> Batch:
        """A new batch of some of these messages, such as the ``unsent`` ones of an error."""
        return Batch.of([self._commands[place] for place in places])

    def steps(self, journaling: Journaling) -> Steps:
        """Publish them.

        Raises:
            BatchIncomplete: If not all could be; what was sent before stays sent.
            InvalidMessage: If they were published before, or one is too large: then nothing is sent.
        """
        if self._is_over:
            raise InvalidMessage("batch", "was published before: make a new one, as of only(...)")
        for command in self._commands:
            journaling.check(command)
        self._is_over = True
        return journaling.watched(self._commands, self._steps(journaling))

    def _steps(self, journaling: Journaling) -> Steps:
        cause: PublishError | None = None
        try:
            for commands in _parts(self._commands):
                self._begun += len(commands)
                yield from self._publish(journaling, commands)
        except PublishError as error:
            cause = error
        lost_ones = [place for place, count in enumerate(self.heard) if count == LOST]
        if cause is None and not lost_ones:
            return
        cause = cause or self._refusal or lost(None)
        sent = sorted({*range(len(self.heard))} - {*lost_ones})
        rest = range(self._begun if cause.maybe_sent else len(self.heard), len(self._commands))
        raise BatchIncomplete(tuple(sent), (*lost_ones, *rest), cause) from cause

    def _publish(self, journaling: Journaling, commands: list[Command]) -> Steps:
        """Publish some in one step; in a pipeline where Redis allows no scripts."""
        arguments = [word for command in commands for word in command.words[1:]]
        yield from journaling.unless_refused(
            self._in_script(journaling, arguments),
            lambda refused: self._in_pipeline(journaling, commands, refused),
        )

    def _in_script(self, journaling: Journaling, arguments: list[str | bytes | int]) -> Steps:
        heard, refusal = yield from journaling.run_batch(*arguments)
        self.heard += heard
        self._refusal = self._refusal or refusal

    def _in_pipeline(
        self, journaling: Journaling, commands: list[Command], refused: RedisRefused
    ) -> Steps:
        # There are fewer answers if one was lost: what is behind it was not sent.
        for command, answer in zip(commands, (yield Pipeline(tuple(commands))), strict=False):
            if isinstance(answer, RedisUnavailable):
                self._begun = len(self.heard) + 1
                raise answer
            try:
                self.heard.append(journaling.heard(command, answer, refused))
            except PublishError as error:
                self._refusal = self._refusal or error
                self.heard.append(LOST)


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
