"""Publish when a session of SQLAlchemy is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import scoped_session
from sqlalchemy.util import await_only

from publisher.batch import Batch
from publisher.errors import InvalidMessage, PublishError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.orm import Session, SessionTransaction

    from publisher.aio import AsyncPublisher
    from publisher.client import Publisher

log = logging.getLogger(__name__)

_KEY: Final = "publisher: waiting for the commit"


@contextlib.contextmanager
def batch_after_commit(
    publisher: Publisher | AsyncPublisher,
    session: Session | AsyncSession | scoped_session[Any] | async_scoped_session[Any],
    *,
    robust: bool = True,
) -> Iterator[Batch]:
    """Collect messages; they go in one round trip after the commit of the session.

    A savepoint that is rolled back takes with it what was collected inside. Models are serialised
    as they are when they are added.

    Args:
        publisher: Publishes. An ``AsyncPublisher`` needs an ``AsyncSession``.
        session: Whose commit is waited for; a transaction begins if there is none.
        robust: What goes wrong after the commit is logged. If not, it is raised by
            ``session.commit()``, which has committed by then.

    Raises:
        InvalidMessage: If the publisher is asynchronous, and the session is not.
    """
    current: Any = session
    if isinstance(current, (scoped_session, async_scoped_session)):
        current = current()
    if isinstance(current, AsyncSession):
        current = current.sync_session
    elif inspect.iscoroutinefunction(publisher.publish_batch):
        raise InvalidMessage("publisher", "is asynchronous: pass the AsyncSession, or a Publisher")
    batch = Batch()
    yield batch
    if not current.in_transaction():
        current.begin()
    waiting = current.info.get(_KEY)
    if waiting is None:
        waiting = current.info[_KEY] = _Waiting()
        event.listen(current, "after_commit", _committed)
        event.listen(current, "after_transaction_end", _ended)
    waiting.batches.append(_Due(publisher, batch, _open_in(current), robust=robust))


class _Due:
    """A batch, and the transactions all of which have to succeed."""

    def __init__(
        self,
        publisher: Publisher | AsyncPublisher,
        batch: Batch,
        transactions: frozenset[SessionTransaction],
        *,
        robust: bool,
    ) -> None:
        self.transactions = transactions
        self._publisher, self._batch, self._robust = publisher, batch, robust

    def publish(self) -> PublishError | None:
        """Publish it. Return an error that is to be raised."""
        try:
            publishing = self._publisher.publish_batch(self._batch)
            if publishing is not None:
                await_only(publishing)  # AsyncSession runs us where this is allowed
        except PublishError as error:
            if not self._robust:
                return error
            _log(error)
        return None


class _Waiting:
    """What a session has to publish.

    Attributes:
        batches: In the order of their ``with`` blocks.
        committed: The transaction that has just been committed, and is about to end.
    """

    def __init__(self) -> None:
        self.batches: list[_Due] = []
        self.committed: SessionTransaction | None = None


def _open_in(session: Session) -> frozenset[SessionTransaction]:
    """The transaction of this moment and all around it."""
    found = set()
    current = session.get_nested_transaction() or session.get_transaction()
    while current is not None:
        found.add(current)
        current = current.parent
    return frozenset(found)


def _committed(session: Session) -> None:
    waiting: _Waiting = session.info[_KEY]
    waiting.committed = session.get_nested_transaction() or session.get_transaction()


def _ended(session: Session, ended: SessionTransaction) -> None:
    """Only now does the session stand an error; and only this comes when it is merely closed."""
    waiting: _Waiting = session.info[_KEY]
    is_committed = waiting.committed is ended
    if is_committed:
        waiting.committed = None
        if ended.parent is not None:
            return  # a savepoint: what is around it may yet be rolled back
    due = [each for each in waiting.batches if ended in each.transactions]
    waiting.batches = [each for each in waiting.batches if ended not in each.transactions]
    errors = [error for each in due if is_committed and (error := each.publish())]
    for error in errors[1:]:
        _log(error)
    if errors:
        raise errors[0]


def _log(error: PublishError) -> None:
    log.error("not all was published after a commit: %s", error)
