"""Waiting for conditions, with a bound."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class DidNotHappen(Exception):
    """Something that had to happen did not, in time; the message names it."""


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    what: str,
    *,
    within_s: float,
    every_s: float = 0.05,
) -> float:
    """Wait for a condition, which may be a coroutine function. Return how long it took, in s.

    Raises:
        DidNotHappen: If it does not come in time.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()
    try:
        async with asyncio.timeout(within_s):
            while not await _value(condition()):  # noqa: ASYNC110 - nobody sets an event
                await asyncio.sleep(every_s)
    except TimeoutError as error:
        raise DidNotHappen(f"not within {within_s:g} s: {what}") from error
    return loop.time() - start


async def _value(result: bool | Awaitable[bool]) -> bool:  # noqa: FBT001 - what was returned
    return await result if inspect.isawaitable(result) else result
