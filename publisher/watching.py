"""Telling an application of what was published, for its metrics and traces."""

from __future__ import annotations

import enum
import logging
import time
from typing import TYPE_CHECKING, TypeAlias

from publisher.errors import BatchIncomplete, PublishError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from publisher.command import Command
    from publisher.steps import Steps

    OnPublish: TypeAlias = Callable[[str, int, float, "Outcome"], object]

log = logging.getLogger(__name__)


class Outcome(enum.StrEnum):
    """What became of a message."""

    SENT = "sent"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    """Redis may have had it."""


def watched(on_publish: OnPublish, messages: Sequence[Command], steps: Steps) -> Steps:
    """Take steps that publish messages, and tell of each what became of it.

    Args:
        on_publish: Called with channel, bytes, seconds that the call took, and outcome.
        messages: ``PUBLISH`` with channel and payload each.
        steps: What to do.
    """
    started = time.perf_counter()
    sent: Collection[int] = ()
    unsent: Collection[int] = ()
    try:
        result = yield from steps
        sent = range(len(messages))
    except BatchIncomplete as error:
        sent, unsent = error.sent, error.unsent
        raise
    except PublishError as error:
        unsent = () if error.maybe_sent else range(len(messages))
        raise
    else:
        return result
    finally:
        seconds = time.perf_counter() - started
        sent, unsent = frozenset(sent), frozenset(unsent)
        for place, message in enumerate(messages):
            outcome = Outcome.SENT if place in sent else Outcome.UNKNOWN
            _tell(on_publish, message, seconds, Outcome.UNSENT if place in unsent else outcome)


def _tell(on_publish: OnPublish, message: Command, seconds: float, outcome: Outcome) -> None:
    _, channel, payload = message.words
    try:
        on_publish(str(channel), len(payload), seconds, outcome)  # type: ignore[arg-type]
    except Exception:  # whoever has published has not asked for this
        log.exception("on_publish has failed; the message was not affected")
