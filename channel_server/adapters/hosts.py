"""One question to several hosts, any of which may know the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from channel_server.adapters.refusals import words_of
from channel_server.errors import RedisLost

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_WITHIN_S: Final = 1.0
_HEAD_START_S: Final = 0.2
_STUMBLES: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Over what something else may answer than is expected."""
_WORDS: Final = {
    (TimeoutError, RedisTimeoutError): "no answer in time",
    (AuthenticationError,): "does not let us in",
    _STUMBLES: "answers something else",
}
T = TypeVar("T")


async def first_of(hosts: Sequence[tuple[str, int]], ask: Callable[[str, int], Awaitable[T]]) -> T:
    """Ask one soon after the other and take the first answer: one that is silent holds nobody up.

    Not all at once: while Sentinels change their mind, the slowest would be believed.

    Args:
        hosts: Names and ports.
        ask: Asks one of them, and does not return None; what it raises is the reason why that one
            has not answered.

    Raises:
        RedisLost: If none of them has, within a second each; with the reasons.
    """
    reasons: dict[str, None] = {}

    async def one(number: int, host: str, port: int) -> T | None:
        await asyncio.sleep(number * _HEAD_START_S)
        try:
            async with asyncio.timeout(_WITHIN_S):
                return await ask(host, port)
        except (RedisLost, RedisError, OSError, *_STUMBLES) as error:
            reasons[_reason(error)] = None
            return None

    # None of them ends the group by an error: in Python 3.11 that leaves the task that asks
    # cancelled for ever, if its time is up in the same moment.
    answer: T | None = None
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(one(number, *host)) for number, host in enumerate(hosts)]
        for asking in asyncio.as_completed(asked):
            if (answer := await asking) is not None:
                break
        for task in asked:
            task.cancel()
    if answer is None:
        raise RedisLost(", ".join(reasons))
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, RedisLost):
        return error.reason
    if isinstance(error, ResponseError):
        return f"refused: {error.status_code or 'ERR'}"
    for kinds, words in _WORDS.items():
        if isinstance(error, kinds):
            return words
    # redis-py wraps what the system and TLS say.
    return words_of(error.__context__ if isinstance(error.__context__, OSError) else error)
