"""Publish when a session of SQLAlchemy is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from sqlalchemy import event
from sqlalchemy.orm import scoped_session
from sqlalchemy.util import await_only

from publisher.batch import Batch
from publisher.errors import BatchIncomplete, InvalidMessage, PublishError
from publisher.sqlalchemy_transactions import (
    has_only_read,
    is_to_be_committed,
    open_transactions,
)

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
    none, or in one that has only read: nobody need commit it. (A function that writes, called by a
    SELECT, and what is done past SQLAlchemy, on the driver's cursor, cannot be seen: use
    ``session.begin()`` there.) A savepoint that is rolled back takes
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
            with self._batch.publishing(due) as messages:
                self._batch.publisher.publish_batch(messages)

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
            with self._batch.publishing(due) as messages:
                publishing = self._batch.publisher.publish_batch(messages)
                if publishing is not None:
                    await publishing


class _Due(NamedTuple):
    """Messages that are to be published now.

    Attributes:
        messages: Some of a batch.
        places: Theirs in that batch.
    """

    messages: Batch
    places: list[int]


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

    def end(self, error: BaseException | None) -> _Due | None:
        """What is to be published now that the block ends; after an error, nothing any more."""
        self._is_over = True
        if error is not None:
            _log_dropped(len(self._transactions), "the block ended with an error")
            self._transactions.clear()
        is_waiting = is_to_be_committed(self._session)
        waiting = set(open_transactions(self._session)) if is_waiting else set()
        return self._take(waiting.isdisjoint)

    def take(self, ended: SessionTransaction) -> _Due | None:
        """What waited for a transaction."""
        return self._take(lambda transactions: ended in transactions)

    def let_go(self, closed: SessionTransaction) -> None:
        """A transaction that has only read was closed: what was added in it goes when the block ends."""
        if self._is_over:
            return
        for place, found in self._transactions.items():
            self._transactions[place] = found - {closed}

    def _take(self, is_due: Any) -> _Due | None:
        places = [place for place, found in self._transactions.items() if is_due(found)]
        for place in places:
            del self._transactions[place]
        return _Due(self.only(places), places) if places else None

    @contextlib.contextmanager
    def publishing(self, due: _Due) -> Iterator[Batch]:
        """Some messages are published in here: errors are logged, unless they are to be raised."""
        try:
            yield due.messages
        except PublishError as error:
            if not self._robust:
                raise _placed(error, due.places) from error
            _log(error)
        finally:
            self.heard += due.messages.heard


class _Waiting:
    """What a session has to publish.

    Attributes:
        batches: In the order of their first messages.
        committed: The transaction that has just been committed, and is about to end.
        rolled_back: The same of one that was rolled back; one that is neither was merely closed.
    """

    @classmethod
    def of(cls, session: Session) -> Self:
        """That of a session."""
        waiting: Self | None = session.info.get(_KEY)
        if waiting is None:
            waiting = session.info[_KEY] = cls()
            event.listen(session, "after_commit", waiting.note_commit)
            event.listen(session, "after_rollback", waiting.note_rollback)
            event.listen(session, "after_transaction_end", waiting.end)
        return waiting

    def __init__(self) -> None:
        self.batches: dict[_SessionBatch, None] = {}
        self.committed: SessionTransaction | None = None
        self.rolled_back: SessionTransaction | None = None

    def note_commit(self, session: Session) -> None:
        """A transaction was committed, and will end."""
        self.committed = session.get_nested_transaction() or session.get_transaction()

    def note_rollback(self, session: Session) -> None:
        """A transaction was rolled back, and will end."""
        self.rolled_back = session.get_nested_transaction() or session.get_transaction()

    def end(self, session: Session, ended: SessionTransaction) -> None:
        """Only now does the session stand an error; and only this comes when it is merely closed."""
        del session
        is_committed = self.committed is ended
        if is_committed:
            self.committed = None
            if ended.parent is not None:
                return  # a savepoint: what is around it may yet be rolled back
        is_rolled_back, self.rolled_back = self.rolled_back is ended, None
        if not (is_committed or is_rolled_back) and ended.parent is None and has_only_read(ended):
            for batch in self.batches:
                batch.let_go(ended)
        due = [(batch, found) for batch in self.batches if (found := batch.take(ended))]
        if ended.parent is None:
            self.batches.clear()
        if is_committed:
            _publish_all(due)
        else:
            count = sum(len(found.places) for _, found in due)
            _log_dropped(count, "their transaction was rolled back")


def _publish_all(due: list[tuple[_SessionBatch, _Due]]) -> None:
    errors: list[PublishError] = []
    for batch, found in due:
        try:
            with batch.publishing(found) as messages:
                publishing = batch.publisher.publish_batch(messages)
                if publishing is not None:
                    await_only(publishing)  # AsyncSession runs us where this is allowed
        except PublishError as error:
            errors.append(error)
    for another in errors[1:]:
        _log(another)
    if errors:
        raise errors[0]


def _placed(error: PublishError, places: list[int]) -> PublishError:
    return error.at(places) if isinstance(error, BatchIncomplete) else error


def _log_dropped(count: int, why: str) -> None:
    if count:
        log.warning("%d messages are dropped: %s", count, why)


def _log(error: PublishError) -> None:
    log.error("not all was published after a commit: %s", error)
