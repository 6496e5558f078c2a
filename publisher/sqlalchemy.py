"""Publish when a session of SQLAlchemy is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import event

from publisher.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session, SessionTransaction

    from publisher.client import Publisher

_KEY: Final = "publisher: waiting for the commit"


class _Waiting(NamedTuple):
    """A batch, and the transactions all of which have to succeed."""

    publisher: Publisher
    batch: Batch
    transactions: frozenset[Any]


@contextlib.contextmanager
def batch_after_commit(publisher: Publisher, session: Session) -> Iterator[Batch]:
    """Collect messages; they go in one round trip after the commit of the session.

    A savepoint that is rolled back takes with it what was collected inside. Models are serialised
    as they are when they are added. An error of publishing is raised by ``session.commit()``,
    which has committed by then.

    Args:
        publisher: Publishes.
        session: Whose commit is waited for; a transaction begins if there is none.
    """
    batch = Batch()
    yield batch
    if not session.in_transaction():
        session.begin()
    waiting = session.info.get(_KEY)
    if waiting is None:
        waiting = session.info[_KEY] = []
        event.listen(session, "after_commit", _committed)
        event.listen(session, "after_soft_rollback", _rolled_back)
    waiting.append(_Waiting(publisher, batch, _open_in(session)))


def _open_in(session: Session) -> frozenset[Any]:
    """The transaction of this moment and all around it."""
    found = set()
    current: SessionTransaction | None = (
        session.get_nested_transaction() or session.get_transaction()
    )
    while current is not None:
        found.add(current)
        current = current.parent
    return frozenset(found)


def _committed(session: Session) -> None:
    if session.in_nested_transaction():
        return  # only a savepoint
    waiting: list[_Waiting] = session.info[_KEY]
    due, waiting[:] = list(waiting), []
    for publisher, batch, _ in due:
        publisher.publish_batch(batch)


def _rolled_back(session: Session, previous: SessionTransaction) -> None:
    waiting: list[_Waiting] = session.info[_KEY]
    waiting[:] = [each for each in waiting if previous not in each.transactions]
