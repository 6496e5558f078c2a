"""Publish when Django's transaction is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
from typing import TYPE_CHECKING

from django.db import transaction

from publisher.batch import Batch
from publisher.errors import InvalidMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from publisher.client import Publisher


@contextlib.contextmanager
def batch_on_commit(
    publisher: Publisher, *, using: str | None = None, robust: bool = True
) -> Iterator[Batch]:
    """Collect messages; they go in one round trip after the commit. Without a transaction, at once.

    Models are serialised as they are when they are added.

    Args:
        publisher: Publishes.
        using: Database whose transaction it is; Django's default if omitted.
        robust: What goes wrong after the commit is logged by Django, and other hooks still run.
            If not, it is raised to whoever has committed.

    Raises:
        InvalidMessage: If the publisher is asynchronous: Django's transactions are not.
    """
    if inspect.iscoroutinefunction(publisher.publish_batch):
        raise InvalidMessage("publisher", "is asynchronous: Django's hooks need a Publisher")
    batch = Batch()
    yield batch
    transaction.on_commit(lambda: publisher.publish_batch(batch), using=using, robust=robust)
