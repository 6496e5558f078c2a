"""What the users of a load test share."""

from __future__ import annotations

import itertools
import secrets
from typing import TYPE_CHECKING, Final

from locust import User

from tests.load.ledger import Ledger

if TYPE_CHECKING:
    from publisher import Publisher

# Rows of locust's report: type and name.
DELIVERY: Final = ("SIO", "publish to receive")
CONNECT: Final = ("SIO", "connect")
CONNECTION: Final = ("SIO", "connection")
PUBLISH: Final = ("Redis", "publish records")


class Run:
    """One load test: its groups, which are no other test's, and what was published to them.

    Attributes:
        ledgers: By group id.
        seats: Groups for listeners to take, in turn.
        user_ids: For listeners to take.
        lost: Messages that listeners, now gone, were owed and did not get.
    """

    def __init__(self, groups: int) -> None:
        first = 1_000_000_000 + secrets.randbelow(1_000_000) * 1000
        self.ledgers = {first + number: Ledger() for number in range(groups)}
        self.seats = itertools.cycle(self.ledgers.items())
        self.user_ids = itertools.count(first)
        self.lost = 0


class Participant(User):
    """What listeners and the publisher share; set when a test starts."""

    abstract = True
    publisher: Publisher
    run_now: Run

    def report(self, row: tuple[str, str], error: Exception, count: int = 1) -> None:
        """Count failures in a row of the report."""
        for _ in range(count):
            self.environment.events.request.fire(
                request_type=row[0],
                name=row[1],
                response_time=None,
                response_length=0,
                exception=error,
                context={},
            )
