"""The browsers of a load test."""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import Final

import gevent
from locust import constant, task
from locust.exception import StopUser

from publisher.errors import PublishError
from tests.load import record
from tests.load.connection import Connection, ConnectionLost
from tests.load.ledger import Receipts
from tests.load.participant import CONNECT, CONNECTION, DELIVERY, Participant

_DRAIN_S: Final = 5.0
"""What has not arrived this long after the end is lost."""

_NS_PER_MS: Final = 1_000_000
_UNTIL_STOPPED_S: Final = 24 * 60 * 60


class Lost(Exception):
    """A message that was published while a listener was in its group never reached it."""

    def __str__(self) -> str:
        return "lost"


class Listener(Participant):
    """A browser: connects with a token of its own, then receives."""

    # Its work is done in another greenlet: one that waits can be stopped at any time, and no
    # message is cut in half by that.
    wait_time = constant(_UNTIL_STOPPED_S)

    def on_start(self) -> None:
        """Issue a token and join by connecting."""
        self._cleanup = contextlib.ExitStack()
        self._receipts: Receipts | None = None
        group_id, ledger = next(self.run_now.seats)
        tokens = self.publisher.tokens
        user = {"id": next(self.run_now.user_ids), "name": "Load"}
        token = secrets.token_urlsafe()
        # Before it is issued: the test may be stopped while Redis' answer is under way.
        self._cleanup.callback(tokens.revoke, token)
        with self.environment.events.request.measure(*CONNECT):
            tokens.issue(user, group_ids=[group_id], token=token)
            connection = Connection.to(self.host, token)
            self._cleanup.callback(connection.close)
            self._receipts = Receipts(ledger)
        if self._receipts is None:
            raise StopUser
        self._reader = gevent.spawn(self._read, connection, self._receipts)
        self._cleanup.callback(self._reader.kill)

    @task
    def stay(self) -> None:
        """Do nothing; see ``wait_time``."""

    def on_stop(self) -> None:
        """Wait for what is under way, count what never came, leave nothing behind."""
        try:
            if self._receipts is not None:
                lost = len(self._missing(self._receipts))
                self.run_now.lost += lost
                self.report(DELIVERY, Lost(), lost)
        finally:
            with contextlib.suppress(PublishError):
                self._cleanup.close()

    def _missing(self, receipts: Receipts) -> frozenset[int]:
        """Wait up to 5 s for what is owed at this moment. Return what is missing then."""
        due = receipts.owed()
        deadline = time.monotonic() + _DRAIN_S
        while due & receipts.owed() and not self._reader.dead and time.monotonic() < deadline:
            gevent.sleep(0.01)
        return due & receipts.owed()

    def _read(self, connection: Connection, receipts: Receipts) -> None:
        try:
            while True:
                name, body = connection.receive()
                received_ns = time.monotonic_ns()
                # Others may send notices to everybody meanwhile.
                if name == "records":
                    self._account(record.read(body), received_ns, receipts)
        except ConnectionLost as error:
            self.report(CONNECTION, error)

    def _account(self, sent: record.Sent, received_ns: int, receipts: Receipts) -> None:
        fault = receipts.take(sent.number)
        self.environment.events.request.fire(
            request_type=DELIVERY[0],
            name=DELIVERY[1],
            response_time=(received_ns - sent.sent_ns) / _NS_PER_MS,
            response_length=0,
            exception=None if fault is None else ValueError(fault.value),
            context={},
        )
