"""Which transactions of SQLAlchemy somebody has to commit: those in which something was written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from weakref import ReferenceType, WeakKeyDictionary, WeakSet, ref

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction, SessionTransactionOrigin

if TYPE_CHECKING:
    from collections.abc import Iterator

_READS: Final = ("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK", "PRAGMA", "SHOW", "EXPLAIN")
_BEGINNING: Final = 64
"""Characters of a statement in which its first word is."""

_writing: Final[WeakSet[SessionTransaction]] = WeakSet()
_transactions: Final[WeakKeyDictionary[Connection, ReferenceType[SessionTransaction]]] = (
    WeakKeyDictionary()
)
"""The outermost one of each connection."""


def open_transactions(session: Session) -> Iterator[SessionTransaction]:
    """The transaction of this moment, and all around it."""
    current = session.get_nested_transaction() or session.get_transaction()
    while current is not None:
        yield current
        current = current.parent


def is_to_be_committed(session: Session) -> bool:
    """Whether somebody has to commit: not if a transaction has begun by itself, and has only read."""
    current = session.get_transaction()
    if current is None:
        return False
    has_begun_by_itself = current.origin is SessionTransactionOrigin.AUTOBEGIN
    if session.in_nested_transaction() or not has_begun_by_itself or current in _writing:
        return True
    return bool(session.new or session.dirty or session.deleted)


def _note_begin(_: Session, begun: SessionTransaction, connection: Connection) -> None:
    while begun.parent is not None:
        begun = begun.parent
    _transactions[connection] = ref(begun)


def _note_statement(connection: Connection, _: object, statement: str, *__: object) -> None:
    """By a flush, by the ORM, or by hand."""
    known = _transactions.get(connection)
    transaction = None if known is None else known()
    if transaction is None or transaction in _writing:
        return
    if not statement[:_BEGINNING].lstrip().upper().startswith(_READS):
        _writing.add(transaction)


# Of all sessions: what was written before there was a batch counts, too. For each statement it takes
# 1 to 2.5 µs (of 70, with SQLite in memory; a select of one row, in 60 windows, the best of each).
event.listen(Session, "after_begin", _note_begin)
event.listen(Engine, "before_cursor_execute", _note_statement)
