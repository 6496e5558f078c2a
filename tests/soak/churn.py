"""Starts visits at a steady rate, each a task, and counts how they end."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

from websockets.exceptions import WebSocketException

from publisher import PublishError
from tests.chaos.tcp import Lost
from tests.chaos.wire import Unexpected
from tests.soak.pace import beats

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from random import Random

_WITHIN_S: Final = 30.0
"""The longest visit takes 14 s."""

_MOST_AT_ONCE: Final = 1_000
"""Three times as many as there should be: a server that stands still is not buried."""

_TROUBLES: Final = (
    Lost,
    Unexpected,
    OSError,
    TimeoutError,
    EOFError,
    WebSocketException,
    PublishError,
)


class Churn:
    """Visits, the ways to make them taken in turn.

    Args:
        ways: Coroutine functions that come, stay and go; they raise if that fails.
        per_s: How many begin in a second: at least, and at most.
        random: Decides when.

    Attributes:
        begun: Visits so far.
        failed: How visits failed, and how many.
        left_out: Visits that did not begin because too many were under way.
    """

    def __init__(
        self,
        ways: Sequence[Callable[[], Awaitable[None]]],
        per_s: tuple[float, float],
        random: Random,
    ) -> None:
        self.begun = 0
        self.left_out = 0
        self.failed: Counter[str] = Counter()
        self._ways = ways
        self._per_s = per_s
        self._random = random
        self._present = 0

    async def run(self) -> None:
        """Go on until cancelled."""
        ways = itertools.cycle(self._ways)
        async with asyncio.TaskGroup() as group:
            async for _ in beats(*self._per_s, self._random):
                way = next(ways)
                if self._present < _MOST_AT_ONCE:
                    group.create_task(self._visit(way))
                else:
                    self.left_out += 1

    async def _visit(self, way: Callable[[], Awaitable[None]]) -> None:
        self.begun += 1
        self._present += 1
        try:
            async with asyncio.timeout(_WITHIN_S):
                await way()
        except _TROUBLES as error:
            self.failed[f"{way.__name__}: {type(error).__name__}: {error}"] += 1
        finally:
            self._present -= 1
