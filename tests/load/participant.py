"""What the users of a load test share."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import time
from typing import TYPE_CHECKING, Final

from locust import User

from tests.load.ledger import Ledger
from tests.load.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from publisher import Publisher

# Rows of locust's report: type and name.
DELIVERY: Final = ("SIO", "publish to receive")
CATCH_UP: Final = ("SIO", "publish to receive, after a cut")
CONNECT: Final = ("SIO", "connect")
UPGRADE: Final = ("SIO", "upgrade")
RECOVER: Final = ("SIO", "recover")
CONNECTION: Final = ("SIO", "connection")
PUBLISH: Final = ("Redis", "publish records")

_MS_PER_S: Final = 1000


class Run:
    """One load test: its groups, which are no other test's, and what was published to them.

    Attributes:
        ledgers: By group id.
        seats: Groups for listeners to take, in turn.
        user_ids: For listeners to take.
        online: Listeners that are connected now.
        lost: Messages that listeners, now gone, were owed and did not get.
        timeline: What happened when.

    Args:
        groups: How many.
        start_s: By ``time.monotonic()``.
    """

    def __init__(self, groups: int, *, start_s: float) -> None:
        first = 1_000_000_000 + secrets.randbelow(1_000_000) * 1000
        self.ledgers = {first + number: Ledger() for number in range(groups)}
        self.seats = itertools.cycle(self.ledgers.items())
        self.user_ids = itertools.count(first)
        self.online = 0
        self.lost = 0
        self.timeline = Timeline(start_s)


class Participant(User):
    """What listeners and the publisher share; set when a test starts."""

    abstract = True
    publisher: Publisher
    run_now: Run

    @contextlib.contextmanager
    def measured(self, row: tuple[str, str]) -> Iterator[None]:
        """Count and time what the block does; an error becomes a failure, and ends here.

        Unlike locust's ``measure``, a block that is cut short is not counted: at the end of the
        test, and when a listener loses its network on purpose, that is no success.
        """
        start_s = time.perf_counter()
        error = None
        try:
            yield
        except Exception as caught:  # noqa: BLE001 - whatever it is, the report shows it
            error = caught
        self.report(row, (time.perf_counter() - start_s) * _MS_PER_S, error)

    def report(
        self, row: tuple[str, str], taken_ms: float | None = None, error: Exception | None = None
    ) -> None:
        """Count one success or failure in a row of the report.

        Args:
            row: Type and name.
            taken_ms: None if it took no time that is worth telling.
            error: Why it is a failure; None for a success.
        """
        self.environment.events.request.fire(
            request_type=row[0],
            name=row[1],
            response_time=taken_ms,
            response_length=0,
            exception=error,
            context={},
        )
