"""Publish when Django's transaction is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING

from django.db import transaction

from publisher.batch import Batch
from publisher.django.shared import publisher as shared
from publisher.errors import BatchIncomplete, InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from publisher.client import Publisher
    from publisher.command import Command


@contextlib.contextmanager
def batch_on_commit(
    publisher: Publisher | None = None, *, using: str | None = None, robust: bool = True
) -> Iterator[Batch]:
    """Collect messages; they go in one round trip after the commit. Without a transaction, at once.

    A savepoint that is rolled back, of an ``atomic()`` around the block or inside of it, takes with it
    what was added inside. (``savepoint_rollback()`` by hand cannot be seen.) Models are serialised as
    they are when they are added.

    Args:
        publisher: Publishes; ``publisher.django.publisher`` if omitted.
        using: Database whose transaction it is; Django's default if omitted.
        robust: What goes wrong after the commit is logged by Django, and other hooks still run.
            If not, it is raised to whoever has committed.

    Raises:
        InvalidMessage: If the publisher is asynchronous: Django's transactions are not.
    """
    chosen = shared if publisher is None else publisher
    if inspect.iscoroutinefunction(chosen.publish_batch):
        raise InvalidMessage("publisher", "is asynchronous: Django's hooks need a Publisher")
    batch = _TransactionBatch(using)
    try:
        yield batch
    finally:
        publish = batch.end(chosen)
    transaction.on_commit(publish, using=using, robust=robust)


class _TransactionBatch(Batch):
    """A batch whose messages come to an end with the savepoint in which they were added."""

    def __init__(self, using: str | None) -> None:
        super().__init__()
        self._using = using
        self._committed: list[int] = []

    def _add(self, commands: Sequence[Command]) -> None:
        places = range(len(self), len(self) + len(commands))
        super()._add(commands)
        transaction.on_commit(lambda: self._committed.extend(places), using=self._using)

    def end(self, publisher: Publisher) -> Callable[[], None]:
        """Take no more. What publishes the messages whose savepoints were not rolled back."""
        self._is_over = True

        def publish() -> None:
            committed = self.only(self._committed)
            try:
                publisher.publish_batch(committed)
            except BatchIncomplete as error:
                raise error.at(self._committed) from error
            finally:
                self.heard = committed.heard

        return publish
