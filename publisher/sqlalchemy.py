"""Publish when a session of SQLAlchemy is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import event
from sqlalchemy.orm import scoped_session
from sqlalchemy.util import await_only

from publisher.batch import Batch
from publisher.errors import InvalidMessage, PublishError
from publisher.sqlalchemy_transactions import is_to_be_committed, open_transactions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
    from sqlalchemy.orm import Session, SessionTransaction

    from publisher.aio import AsyncPublisher
    from publisher.client import Publisher
    from publisher.command import Command

_Async: tuple[Any, ...]
_Scoped: tuple[Any, ...]
try:
    from sqlalchemy.ext import asyncio as _asyncio
except ImportError:  # without greenlet there are no asynchronous sessions
    _Async, _Scoped = (), (scoped_session,)
else:
    _Async, _Scoped = (_asyncio.AsyncSession,), (scoped_session, _asyncio.async_scoped_session)

log = logging.getLogger(__name__)

_KEY: Final = "publisher: waiting for the commit"


class batch_after_commit:  # noqa: N801 - it is used as the function that it is in Django's twin
    """Collect messages; each goes after the commit of the transaction in which it was added.

    Those of one transaction go in one round trip. When the block ends, those go that were added in
    none, or in one that has only read: nobody need commit it. A savepoint that is rolled back takes
    with it what was added inside. What is dropped, by a rollback or an error in the block, is logged.
    Models are serialised as they are when they are added.

    Args:
        publisher: Publishes. An ``AsyncPublisher`` needs an ``AsyncSession``; with it,
            ``async with`` publishes at the end of the block, too.
        session: Whose commits are waited for.
        robust: What goes wrong after the commit is logged. If not, it is raised by
            ``session.commit()``, which has committed by then, or at the end of the block.

    Raises:
        InvalidMessage: If the publisher is asynchronous, and the session is not; or if it is, and
            something is to be published at the end of a block that is no ``async with``.
    """

    def __init__(
        self,
        publisher: Publisher | AsyncPublisher,
        session: Session | AsyncSession | scoped_session[Any] | async_scoped_session[Any],
        *,
        robust: bool = True,
    ) -> None:
        current: Any = session
        if isinstance(current, _Scoped):
            current = current()
        self._is_async = inspect.iscoroutinefunction(publisher.publish_batch)
        if isinstance(current, _Async):
            current = current.sync_session
        elif self._is_async:
            raise InvalidMessage("publisher", "is asynchronous: pass the AsyncSession")
        self._batch = _SessionBatch(publisher, current, robust=robust)

    def __enter__(self) -> Batch:
        return self._batch

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        due = self._batch.end(error)
        if due is not None and self._is_async:
            raise InvalidMessage(
                "batch", "has messages that no commit will follow: use `async with` for it"
            )
        if due is not None:
            with self._batch.publishing(due):
                self._batch.publisher.publish_batch(due)

    async def __aenter__(self) -> Batch:
        return self._batch

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        due = self._batch.end(error)
        if due is not None:
            with self._batch.publishing(due):
                publishing = self._batch.publisher.publish_batch(due)
                if publishing is not None:
                    await publishing


class _SessionBatch(Batch):
    """A batch that knows in which transactions each message was added.

    Args:
        publisher: Publishes.
        session: Of the transactions.
        robust: What goes wrong is logged.
    """

    def __init__(
        self, publisher: Publisher | AsyncPublisher, session: Session, *, robust: bool
    ) -> None:
        super().__init__()
        self.publisher = publisher
        self._robust = robust
        self._session = session
        self._waiting = _Waiting.of(session)
        self._transactions: dict[int, frozenset[SessionTransaction]] = {}

    def _add(self, commands: Sequence[Command]) -> None:
        first = len(self)
        super()._add(commands)
        found = frozenset(open_transactions(self._session))
        for place in range(first, len(self)):
            self._transactions[place] = found
            if found:
                self._waiting.batches[self] = None

    def end(self, error: BaseException | None) -> Batch | None:
        """What is to be published now that the block ends; after an error, nothing any more."""
        self._is_over = True
        if error is not None:
            _log_dropped(len(self._transactions), "the block ended with an error")
            self._transactions.clear()
        is_waiting = is_to_be_committed(self._session)
        waiting = set(open_transactions(self._session)) if is_waiting else set()
        return self._take(waiting.isdisjoint)

    def take(self, ended: SessionTransaction) -> Batch | None:
        """What waited for a transaction."""
        return self._take(lambda transactions: ended in transactions)

    def _take(self, is_due: Any) -> Batch | None:
        places = [place for place, found in self._transactions.items() if is_due(found)]
        for place in places:
            del self._transactions[place]
        return self.only(places) if places else None

    @contextlib.contextmanager
    def publishing(self, due: Batch) -> Iterator[None]:
        """Some messages are published in here: errors are logged, unless they are to be raised."""
        try:
            yield
        except PublishError as error:
            if not self._robust:
                raise
            _log(error)
        finally:
            self.heard += due.heard


class _Waiting:
    """What a session has to publish.

    Attributes:
        batches: In the order of their first messages.
        committed: The transaction that has just been committed, and is about to end.
    """

    @classmethod
    def of(cls, session: Session) -> Self:
        """That of a session."""
        waiting: Self | None = session.info.get(_KEY)
        if waiting is None:
            waiting = session.info[_KEY] = cls()
            event.listen(session, "after_commit", waiting.note_commit)
            event.listen(session, "after_transaction_end", waiting.end)
        return waiting

    def __init__(self) -> None:
        self.batches: dict[_SessionBatch, None] = {}
        self.committed: SessionTransaction | None = None

    def note_commit(self, session: Session) -> None:
        """A transaction was committed, and will end."""
        self.committed = session.get_nested_transaction() or session.get_transaction()

    def end(self, session: Session, ended: SessionTransaction) -> None:
        """Only now does the session stand an error; and only this comes when it is merely closed."""
        del session
        is_committed = self.committed is ended
        if is_committed:
            self.committed = None
            if ended.parent is not None:
                return  # a savepoint: what is around it may yet be rolled back
        due = [(batch, found) for batch in self.batches if (found := batch.take(ended))]
        if ended.parent is None:
            self.batches.clear()
        if is_committed:
            _publish_all(due)
        else:
            count = sum(len(found) for _, found in due)
            _log_dropped(count, "their transaction was rolled back")


def _publish_all(due: list[tuple[_SessionBatch, Batch]]) -> None:
    errors: list[PublishError] = []
    for batch, found in due:
        try:
            with batch.publishing(found):
                publishing = batch.publisher.publish_batch(found)
                if publishing is not None:
                    await_only(publishing)  # AsyncSession runs us where this is allowed
        except PublishError as error:
            errors.append(error)
    for another in errors[1:]:
        _log(another)
    if errors:
        raise errors[0]


def _log_dropped(count: int, why: str) -> None:
    if count:
        log.warning("%d messages are dropped: %s", count, why)


def _log(error: PublishError) -> None:
    log.error("not all was published after a commit: %s", error)
