"""A steady rate: work that took long, or a loop that was late, does not slow down what follows."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from random import Random

_MOST_BEHIND_S: Final = 1.0
"""What is later than this is given up: nobody is to get a burst."""


async def beats(least_per_s: float, most_per_s: float, random: Random) -> AsyncIterator[None]:
    """Come for ever, at distances that are random between those of the two rates."""
    loop = asyncio.get_running_loop()
    due_s = loop.time()
    while True:
        due_s = max(
            due_s + 1 / random.uniform(least_per_s, most_per_s), loop.time() - _MOST_BEHIND_S
        )
        await asyncio.sleep(due_s - loop.time())
        yield
