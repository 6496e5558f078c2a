"""Errors raised on purpose by publisher.

PublishError
├── InvalidMessage        an argument is wrong; a repetition fails again
├── ConfigError           the settings are wrong; raised before anything connects
├── BatchIncomplete       some messages of a batch were sent, and some were not
├── RedisUnavailable      Redis was not reached; trying again later is safe
│   └── ReplyLost         Redis was reached and its answer was lost; trying again may deliver twice
└── RedisRefused          Redis answered with an error; its operator has to act

Every text says what to do. None quotes a payload, a token, a password or a URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class PublishError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        maybe_sent: False if Redis certainly did not execute the command, True if it may have.
    """

    maybe_sent: bool = False


class InvalidMessage(PublishError, ValueError):
    """An argument cannot become a message.

    Attributes:
        field: Name of the argument.
        problem: What is wrong with it, without quoting it.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


class BatchIncomplete(PublishError):
    """Some messages of a batch were not sent, or are lost.

    Attributes:
        sent: Places in the batch (0, 1, …) of those that certainly were sent.
        unsent: Of those that certainly were not; of the others nobody knows.
        cause: Why, and what to do about it; ``maybe_sent`` says whether the others may have been.
    """

    def __init__(
        self, sent: tuple[int, ...], unsent: tuple[int, ...], cause: PublishError
    ) -> None:
        super().__init__(sent, unsent, cause)
        self.sent = sent
        self.unsent = unsent
        self.cause = cause
        self.maybe_sent = cause.maybe_sent

    def at(self, places: Sequence[int]) -> BatchIncomplete:
        """The same of a batch whose messages have other places in the one that the caller knows."""
        sent, unsent = (tuple(places[each] for each in some) for some in (self.sent, self.unsent))
        return BatchIncomplete(sent, unsent, self.cause)

    def __str__(self) -> str:
        others = ", of the others nobody knows" if self.maybe_sent else ""
        why = self.cause.reason if isinstance(self.cause, RedisUnavailable) else self.cause
        return (
            f"{len(self.sent)} messages of the batch were sent, {len(self.unsent)} were "
            f"not{others}: {why}"
        )


class ConfigError(PublishError, ValueError):
    """The settings do not describe a publisher.

    Attributes:
        problems: One sentence for each wrong setting, so that all are mended in one go.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(self.problems)


class RedisUnavailable(PublishError):
    """No usable connection to Redis; nothing was sent.

    Attributes:
        reason: What happened and what to do about it.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"nothing was sent: {self.reason}"


class ReplyLost(RedisUnavailable):
    """The command was written, at least in part, and no answer came back."""

    maybe_sent = True

    def __str__(self) -> str:
        return (
            f"Redis may have executed the command: {self.reason}; "
            "repeat it only where twice does no harm"
        )


class RedisRefused(PublishError):
    """Redis answered with an error.

    Redis' own text is not kept: it may quote the command, and with it the payload.

    Attributes:
        code: First word of Redis' answer, such as ``OOM``.
        advice: What to do about it.
        missing: Rights that Redis' user lacks: ``commands``, ``keys`` or ``channels``; else empty.
        prevents_scripts: This Redis runs no scripts of ours for this user.
        maybe_sent: True for an error in the midst of several steps: what comes before it is done. To
            repeat the call is safe.
    """

    def __init__(
        self,
        code: str,
        advice: str,
        *,
        missing: str = "",
        prevents_scripts: bool = False,
        is_in_script: bool = False,
    ) -> None:
        super().__init__(code, advice)
        self.code = code
        self.advice = advice
        self.missing = missing
        self.prevents_scripts = prevents_scripts
        self.maybe_sent = is_in_script

    def __str__(self) -> str:
        part = "; a part of it may be done" if self.maybe_sent else ""
        return f"Redis refused the command ({self.code}): {self.advice}{part}"
