"""The browsers of a load test."""

from __future__ import annotations

import contextlib
import random
import secrets
import time
from typing import Final

import gevent
from locust import constant, task

from publisher.errors import PublishError
from tests.chaos.session import Session
from tests.load import record
from tests.load.connection import Connection
from tests.load.ledger import Receipts
from tests.load.loss import ConnectionLost
from tests.load.participant import (
    CATCH_UP,
    CONNECT,
    CONNECTION,
    DELIVERY,
    RECOVER,
    UPGRADE,
    Participant,
)

_AWAY_S: Final = (0.5, 1.5)
"""From losing a connection to trying again.

Source: socket.io-client 4.8, manager.js: ``reconnectionDelay`` and ``randomizationFactor``. It
waits longer after each failure; ours does not, so that a test ends soon after a server has
returned.
"""

_NS_PER_MS: Final = 1_000_000
_UNTIL_STOPPED_S: Final = 24 * 60 * 60


class Lost(Exception):
    """A message that was published while a listener was in its group never reached it."""

    def __str__(self) -> str:
        return "lost"


class NotRecovered(Exception):
    """A returning listener got a new ``pid``: the server does not claim that it has it all."""

    def __str__(self) -> str:
        return "not recovered"


class Listener(Participant):
    """A browser: connects with a token of its own, receives, and returns when it is cut off."""

    # Its work is done in another greenlet: one that waits can be stopped at any time, and no
    # message is cut in half by that.
    wait_time = constant(_UNTIL_STOPPED_S)

    def on_start(self) -> None:
        """Take a seat, and begin to live."""
        self._group_id, self._ledger = next(self.run_now.seats)
        self._token = secrets.token_urlsafe()
        self._session = Session()
        self._receipts: Receipts | None = None
        self._returned_ns = 0
        self._only_polls = random.random() < self.environment.parsed_options.polling_share
        self._life = gevent.spawn(self._live)

    @task
    def stay(self) -> None:
        """Do nothing; see ``wait_time``."""

    def on_stop(self) -> None:
        """Wait for what is under way, count what never came, leave nothing behind."""
        try:
            if self._receipts is not None:
                lost = len(self._missing(self._receipts))
                self.run_now.lost += lost
                for _ in range(lost):
                    self.report(DELIVERY, error=Lost())
        finally:
            self._life.kill()
            with contextlib.suppress(PublishError):
                self.publisher.tokens.revoke(self._token)

    def _missing(self, receipts: Receipts) -> frozenset[int]:
        """Wait a while for what is owed at this moment. Return what is missing then."""
        due = receipts.owed()
        deadline = time.monotonic() + self.environment.parsed_options.patience
        while due & receipts.owed() and not self._life.dead and time.monotonic() < deadline:
            gevent.sleep(0.01)
        return due & receipts.owed()

    def _live(self) -> None:
        """Connect, be cut off, return: until the test ends."""
        cut_every_s = self.environment.parsed_options.cut_every
        cut_in_s = random.uniform(0, cut_every_s)  # not all listeners at once
        while True:
            connection = self._enter() if self._receipts is None else self._return()
            if connection is not None:
                self._stay(connection, cut_in_s)
                cut_in_s = cut_every_s
            gevent.sleep(random.uniform(*_AWAY_S))

    def _enter(self) -> Connection | None:
        """Connect for the first time; None if that failed."""
        connection = None
        with self.measured(CONNECT):
            user = {"id": next(self.run_now.user_ids), "name": "Load"}
            self.publisher.tokens.issue(user, group_ids=[self._group_id], token=self._token)
            connection = Connection.to(self.host, self._token, self._session)
            self._receipts = Receipts(self._ledger)
        return connection

    def _return(self) -> Connection | None:
        """Connect again, and ask for what was missed; None if there is no connection."""
        connection = None
        with self.measured(RECOVER):
            connection = Connection.to(self.host, self._token, self._session)
            if not connection.has_recovered:
                raise NotRecovered
        self._returned_ns = time.monotonic_ns()
        return connection

    def _stay(self, connection: Connection, cut_in_s: float) -> None:
        """Receive until the connection ends, by itself or because we cut it.

        Args:
            connection: Ends with this call.
            cut_in_s: When to cut; 0 is never.
        """
        self.run_now.online += 1
        try:
            with gevent.Timeout(cut_in_s or None, exception=False):
                self._receive(connection)
        except ConnectionLost as error:
            self.report(CONNECTION, error=error)
        finally:
            self.run_now.online -= 1
            connection.cut()

    def _receive(self, connection: Connection) -> None:
        if not self._only_polls:
            with self.measured(UPGRADE):
                connection.upgrade()
        while True:
            name, body = connection.receive()
            received_ns = time.monotonic_ns()
            # Others may send notices to everybody meanwhile.
            if name == "records":
                self._account(record.read(body), received_ns)

    def _account(self, sent: record.Sent, received_ns: int) -> None:
        fault = self._receipts.take(sent.number)
        self.report(
            CATCH_UP if sent.sent_ns < self._returned_ns else DELIVERY,
            (received_ns - sent.sent_ns) / _NS_PER_MS,
            None if fault is None else ValueError(fault.value),
        )
