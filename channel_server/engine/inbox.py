"""Messages of one client that wait for their handler: in order, and bounded."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, NamedTuple

_MAX_MESSAGES: Final = 10_000


class Ending(NamedTuple):
    """The last thing in an inbox: the client is done, for this reason."""

    reason: str


class Inbox:
    """What has come and was not handled yet.

    Args:
        max_bytes: Characters and bytes that may wait, all messages together.

    Attributes:
        worker: Runs the handlers; None until it is started.
    """

    __slots__ = ("_items", "_max_bytes", "_size", "worker")

    def __init__(self, max_bytes: int) -> None:
        self.worker: asyncio.Task[None] | None = None
        self._items: deque[str | bytes | Ending] = deque()
        self._max_bytes = max_bytes
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits; a handler may still be running."""
        return not self._items

    def abandon(self) -> None:
        """The client is gone: forget what waits, and stop the handler that is running.

        A handler that has closed its own session goes on to its end.
        """
        self._items.clear()
        self._size = 0
        worker, self.worker = self.worker, None  # it holds this inbox: not in a circle
        if worker is not None and worker is not asyncio.current_task():
            worker.cancel()

    def push(self, item: str | bytes | Ending) -> bool:
        """Add a message. Return False, and do not add it, if there is no room."""
        size = 0 if isinstance(item, Ending) else len(item)
        if self._size + size > self._max_bytes or len(self._items) >= _MAX_MESSAGES:
            return False
        self._size += size
        self._items.append(item)
        return True

    def pop(self) -> str | bytes | Ending | None:
        """Take the oldest, None if there is none."""
        if not self._items:
            return None
        item = self._items.popleft()
        if not isinstance(item, Ending):
            self._size -= len(item)
        return item
