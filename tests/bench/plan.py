"""How much of everything is done."""

from dataclasses import dataclass
from typing import Final

from tests.bench.servers import SOCKETIO


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        rounds: How often a figure is measured, as far as it can be repeated; the median counts.
        drop_rounds: The same for the drop.
        idle_rounds: The same for idle clients, each as long as the ping interval.
        clients: For the figures of single messages.
        crowd: For the figures of idle and dropped clients.
        messages: Per round, to all clients by websocket.
        poll_messages: Per round, to all clients by polling.
        user_messages: Per round, to single users.
        latency_s: Length of one latency round.
    """

    rounds: int
    drop_rounds: int
    idle_rounds: int
    clients: int = 1000
    crowd: int = 4000
    messages: int
    poll_messages: int
    user_messages: int
    latency_s: float

    def messages_for(self, server: str) -> int:
        """``messages``, or fewer for the server that takes ten times as long as the others."""
        return self.messages // 5 if server == SOCKETIO else self.messages


FULL: Final = Plan(
    rounds=5,
    drop_rounds=3,
    idle_rounds=5,
    messages=200,
    poll_messages=20,
    user_messages=20_000,
    latency_s=3,
)
QUICK: Final = Plan(
    rounds=2,
    drop_rounds=1,
    idle_rounds=1,
    messages=50,
    poll_messages=10,
    user_messages=4_000,
    latency_s=2,
)
