"""From one subscription to its successor: nothing twice, nothing out of order. Pure but for a future."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Handover:
    """Two subscriptions hear the same messages for a moment.

    What the old one hears counts at once; what the new one hears waits until the old one has
    said its last word: the marker, published when the new one stood, or nothing more.

    Attributes:
        is_seamless: The old one has heard the marker: it has missed nothing before it.
    """

    def __init__(self) -> None:
        self._heard: Counter[tuple[str, bytes]] = Counter()
        self._buffer: list[tuple[str, bytes]] = []
        self._marker: bytes | None = None
        self._is_heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_seamless = False

    def buffer(self, channel: str, payload: bytes) -> int:
        """The new subscription has heard something."""
        self._buffer.append((channel, payload))
        return 0

    def heard(self, channel: str, payload: bytes) -> None:
        """The old subscription has heard something."""
        self._heard[channel, payload] += 1

    def heard_probe(self, number: bytes) -> None:
        """The old subscription has heard a probe; a later one will do for the marker as well."""
        if self._marker is not None and int(number) >= int(self._marker):
            self.is_seamless = True
            if not self._is_heard.done():
                self._is_heard.set_result(None)

    def until_heard(self, marker: bytes) -> asyncio.Future[None]:
        """Done when the old subscription has heard this probe."""
        self._marker = marker
        return self._is_heard

    def finish(self, take: Callable[[str, bytes], int]) -> None:
        """Hand on what only the new subscription has heard."""
        for message in self._buffer:
            if self._heard[message] > 0:
                self._heard[message] -= 1
            else:
                take(*message)
        self._buffer.clear()
