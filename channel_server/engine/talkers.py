"""How much clients say: who says too much in one second is hung up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.client import Client

_WINDOW_S: Final = 1.0


class Talkers:
    """Counts what each client says in the current second; the silent cost nothing.

    Args:
        max_per_s: Packets and frames of one client in one window of a second.
        clock: Monotonic seconds.
    """

    def __init__(self, max_per_s: int, clock: Callable[[], float]) -> None:
        self._max_per_s = max_per_s
        self._clock = clock
        self._ends_at_s = clock() + _WINDOW_S
        self._said: dict[Client, int] = {}

    def said(self, client: Client) -> bool:
        """Count one packet or frame. Return False if it was one too many: the client is gone."""
        now = self._clock()
        if now >= self._ends_at_s:
            self._said.clear()
            self._ends_at_s = now + _WINDOW_S
        said = self._said[client] = self._said.get(client, 0) + 1
        if said <= self._max_per_s:
            return True
        client.hang_up("flood")
        return False

    def forget(self, client: Client) -> None:
        """The client is gone."""
        self._said.pop(client, None)
