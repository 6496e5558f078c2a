"""Pings for all sessions from one place: no task and no timer belongs to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_server.engine.deadlines import Deadlines
from channel_server.metrics import REMOTE, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from channel_server.engine.client import Client


class Heartbeat:
    """Who gets a ping next, and whose pong is missing.

    Invariant: an open session is in exactly one of the two queues.

    Args:
        interval_s: From a pong, or the opening, to the next ping.
        timeout_s: From a ping to its pong.
        clock: Monotonic seconds.

    Attributes:
        round_trips: From pings to their pongs.
    """

    def __init__(self, interval_s: float, timeout_s: float, clock: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._pings: Deadlines[Client] = Deadlines(interval_s, clock)
        self._pongs: Deadlines[Client] = Deadlines(timeout_s, clock)
        self.round_trips = Histogram(REMOTE)

    def start(self, client: Client) -> None:
        """Begin with a new client."""
        self._pings.start(client)

    def stop(self, client: Client) -> None:
        """Forget a closed client."""
        self._pings.stop(client)
        self._pongs.stop(client)

    def pong(self, client: Client) -> None:
        """The client is alive. A pong that no ping asked for changes nothing."""
        left_s = self._pongs.left_s(client)
        if left_s is not None:
            self.round_trips.observe(self._timeout_s - left_s)
            self._pongs.stop(client)
            self._pings.start(client)

    def is_overdue(self, client: Client) -> bool:
        """Tell whether a session's time is up, even if no tick has noticed it yet."""
        until_ping_s = self._pings.left_s(client)
        if until_ping_s is not None:
            return until_ping_s + self._timeout_s <= 0
        return (self._pongs.left_s(client) or 0.0) < 0

    def beat(self, tolerance_s: float) -> Iterator[None]:
        """Hang up on the silent, ping the due; a generator, so that the caller can pause.

        Args:
            tolerance_s: Those due within this time count as due.

        Yields:
            After each client.
        """
        for client in self._pongs.expired(tolerance_s):
            client.hang_up("ping timeout")
            yield
        for client in self._pings.expired(tolerance_s):
            if client.is_open:
                self._pongs.start(client)
                client.ping()
            yield
