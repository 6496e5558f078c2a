"""Tasks that end with whoever started them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Tasks:
    """A task group that cancels what still runs when it is left.

    An error in the body is raised as it is; errors of tasks come as a group.
    """

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, work: Coroutine[object, object, None], name: str) -> None:
        """Run something beside the body."""
        self._tasks.append(self._group.create_task(work, name=name))

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: object
    ) -> None:
        for task in self._tasks:
            task.cancel()
        # The group has to see a cancellation: it may be its own, after a task has failed.
        if isinstance(error, asyncio.CancelledError):
            await self._group.__aexit__(kind, error, trace)
        else:
            await self._group.__aexit__(None, None, None)
