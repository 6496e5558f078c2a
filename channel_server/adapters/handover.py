"""From one subscription to its successor: nothing twice, nothing out of order. Pure but for futures."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Handover:
    """Two subscriptions hear the same messages for a moment, each in the order of Redis.

    What the old one hears counts at once; what the new one hears waits until the old one has
    said its last word: the marker, a probe that is published when the new one stands, or nothing
    more. Everything before the marker both have heard.

    Args:
        probe_channel: Where the marker will be heard.

    Attributes:
        is_old_done: The old one has heard the marker: it has missed nothing before it.
        is_new_done: The new one has: everything that the old one may have heard is here, too.
    """

    def __init__(self, probe_channel: str) -> None:
        loop = asyncio.get_running_loop()
        self._probe_channel = probe_channel
        self._old: list[tuple[str, bytes]] = []
        self._new: list[tuple[str, bytes]] = []
        self._before_marker = 0
        self._marker: int | None = None
        self.is_old_done: asyncio.Future[None] = loop.create_future()
        self.is_new_done: asyncio.Future[None] = loop.create_future()

    def expect(self, marker: bytes) -> None:
        """The marker is published. A later probe will do as well, should it be lost."""
        self._marker = int(marker)

    def old_heard(self, channel: str, payload: bytes) -> bool:
        """The old subscription has heard something, since the new one was asked for.

        Returns:
            Whether it counts: after the marker, nothing does.
        """
        if self.is_old_done.done():
            return False
        if channel != self._probe_channel:
            self._old.append((channel, payload))
        elif self._is_marker(payload):
            self.is_old_done.set_result(None)
        return True

    def new_heard(self, channel: str, payload: bytes) -> int:
        """The new subscription has heard something. Returns the bytes written to clients: none."""
        if channel != self._probe_channel:
            self._new.append((channel, payload))
        elif self._is_marker(payload) and not self.is_new_done.done():
            self._before_marker = len(self._new)
            self.is_new_done.set_result(None)
        return 0

    @property
    def is_seamless(self) -> bool:
        """Whether there is no hole between the two."""
        return self.is_old_done.done() and self.is_new_done.done()

    def finish(self, take: Callable[[str, bytes], int]) -> None:
        """Hand on what only the new subscription has heard."""
        known = self._before_marker if self.is_seamless else self._overlap()
        for channel, payload in self._new[known:]:
            take(channel, payload)
        self._new.clear()

    def _is_marker(self, number: bytes) -> bool:
        return self._marker is not None and int(number) >= self._marker

    def _overlap(self) -> int:
        """How many messages are the last of the old one, and the first of the new one."""
        old, new = self._old, self._new
        for size in range(min(len(old), len(new)), 0, -1):
            if old[-size] == new[0] and old[-size:] == new[:size]:
                return size
        return 0
