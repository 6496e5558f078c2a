"""One client that keeps receiving, and how long it has to wait."""

import time
from collections import deque

from tests.bench.client import Client
from tests.bench.lanes import Lane
from tests.bench.records import user_room

INTERVAL_S = 0.005


class Echo:
    """Publishes to one client's room every 5 ms, whether or not the last message has arrived.

    Attributes:
        longest_s: The longest time from publishing to receiving so far.
    """

    def __init__(self, lane: Lane, client: Client) -> None:
        self.longest_s = 0.0
        self._lane = lane
        self._room = user_room(client.number)
        self._under_way: deque[float] = deque()
        self._due = time.perf_counter()
        lane.crowd.event = self._received

    def run(self, duration_s: float) -> None:
        """Go on for a while; at least publish once if the time has come."""
        end = time.perf_counter() + duration_s
        while True:
            now = time.perf_counter()
            if now >= self._due:
                self._due = now + INTERVAL_S
                self._under_way.append(now)
                self._lane.publish(self._room)
            self._lane.pump.turn(max(0.0, min(self._due, end) - now))
            if now >= end:
                return

    def finish(self) -> None:
        """Wait for what is under way."""
        self._lane.pump.until(lambda: not self._under_way, "every echo")

    def _received(self, _client: Client) -> None:
        self.longest_s = max(self.longest_s, time.perf_counter() - self._under_way.popleft())
