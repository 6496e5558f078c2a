"""The application of a load test."""

from __future__ import annotations

import itertools
import time

from locust import constant_throughput, task

from tests.load import record
from tests.load.participant import PUBLISH, Participant


class Feeder(Participant):
    """The application: publishes to one group after the other. One, so that order is known."""

    fixed_count = 1

    def wait_time(self) -> float:
        """Keep the rate that was asked for."""
        return constant_throughput(self.environment.parsed_options.publish_rate)(self)

    def on_start(self) -> None:
        """Begin with the first group."""
        self._groups = itertools.cycle(self.run_now.ledgers.items())

    @task
    def publish(self) -> None:
        """Publish one record."""
        group_id, ledger = next(self._groups)
        text_bytes = self.environment.parsed_options.record_bytes
        # In this order: ``measured`` swallows what ``publishing`` has to see.
        with self.measured(PUBLISH), ledger.publishing() as number:
            sent = record.Sent(number, time.monotonic_ns())
            records = record.write(sent, text_bytes=text_bytes)
            self.publisher.publish_records(records, group_id=group_id)
