"""Publish when a session of SQLAlchemy is committed, and never if it is rolled back."""

from __future__ import annotations

import contextlib
import inspect
import logging
from typing import TYPE_CHECKING, Any, Final, Self
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession, async_scoped_session
from sqlalchemy.orm import scoped_session
from sqlalchemy.util import await_only

from publisher.batch import Batch
from publisher.errors import InvalidMessage, PublishError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Unpack

    from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

    from publisher.aio import AsyncPublisher
    from publisher.client import Publisher
    from publisher.command import Command
    from publisher.models import HowAndWhere

log = logging.getLogger(__name__)

_KEY: Final = "publisher: waiting for the commit"


class batch_after_commit:  # noqa: N801 - it is used as the function that it is in Django's twin
    """Collect messages; each goes after the commit of the transaction in which it was added.

    Those of one transaction go in one round trip; those that were added in none, when the block
    ends. A savepoint that is rolled back takes with it what was added inside. Whatever is dropped by
    a rollback is logged. Models are serialised as they are when they are added.

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
        if isinstance(current, (scoped_session, async_scoped_session)):
            current = current()
        self._is_async = inspect.iscoroutinefunction(publisher.publish_batch)
        if isinstance(current, AsyncSession):
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
        self._open: frozenset[SessionTransaction] | None = None

    def publish_models(self, models: object, **how_and_where: Unpack[HowAndWhere]) -> None:
        """As ``Batch.publish_models``."""
        # Before they are read: that may begin a transaction.
        self._open = self._waiting.open(self._session)
        try:
            with self._waiting.only_read(self._session):
                super().publish_models(models, **how_and_where)
        finally:
            self._open = None

    def _add(self, commands: Sequence[Command]) -> None:
        first = len(self)
        super()._add(commands)
        found = self._waiting.open(self._session) if self._open is None else self._open
        for place in range(first, len(self)):
            self._transactions[place] = found
            if found:
                self._waiting.batches[self] = None

    def end(self, error: BaseException | None) -> Batch | None:
        """What is to be published now that the block ends; after an error, nothing any more."""
        if error is not None:
            self._transactions.clear()
        return self._take(lambda transactions: not transactions)

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
            event.listen(session, "after_flush", waiting.note_flush)
            event.listen(session, "do_orm_execute", waiting.note_statement)
        return waiting

    def __init__(self) -> None:
        # Begun by reading models that are published: nobody will commit them.
        self._read_only: WeakSet[SessionTransaction] = WeakSet()
        self.batches: dict[_SessionBatch, None] = {}
        self.committed: SessionTransaction | None = None

    @contextlib.contextmanager
    def only_read(self, session: Session) -> Iterator[None]:
        """A transaction that begins in here begins by reading."""
        was_open = session.in_transaction()
        try:
            yield
        finally:
            current = session.get_transaction()
            if not was_open and current is not None:
                self._read_only.add(current)

    def open(self, session: Session) -> frozenset[SessionTransaction]:
        """The transaction of this moment, and all around it."""
        found = set()
        current = session.get_nested_transaction() or session.get_transaction()
        while current is not None and current not in self._read_only:
            found.add(current)
            current = current.parent
        return frozenset(found)

    def note_flush(self, *_: object) -> None:
        """Something was written."""
        self._read_only.clear()

    def note_statement(self, state: ORMExecuteState) -> None:
        """Something may have been written."""
        if not state.is_select:
            self._read_only.clear()

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
        elif due:
            count = sum(len(found) for _, found in due)
            log.warning("%d messages are dropped: their transaction was rolled back", count)


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


def _log(error: PublishError) -> None:
    log.error("not all was published after a commit: %s", error)
