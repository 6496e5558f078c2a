"""Which document is stored when: not at every key, and not too late either."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Document = TypeVar("Document")

_FIRST_RETRY_S: Final = 1.0
_LONGEST_RETRY_S: Final = 30.0


class _Entry:
    """One document that has to be stored.

    Attributes:
        since_s: Since when.
        due_s: When it is stored; None before that is known.
        failures: How often that has failed in a row.
        is_taken: It is being stored.
    """

    __slots__ = ("due_s", "failures", "is_taken", "since_s")

    def __init__(self, now_s: float) -> None:
        self.since_s = now_s
        self.due_s: float | None = None
        self.failures = 0
        self.is_taken = False


class Agenda(Generic[Document]):
    """Documents by the time at which they are stored.

    Args:
        debounce_s: After the last change.
        max_debounce_s: After the first change, at the latest.
        clock: Monotonic seconds.
    """

    def __init__(
        self, debounce_s: float, max_debounce_s: float, clock: Callable[[], float]
    ) -> None:
        self._debounce_s = debounce_s
        self._max_debounce_s = max_debounce_s
        self._clock = clock
        self._entries: dict[Document, _Entry] = {}
        self._urgent: deque[Document] = deque()

    def __bool__(self) -> bool:
        return bool(self._entries)

    def changed(self, document: Document, *, is_ours: bool) -> None:
        """A document has changed.

        Args:
            document: Which.
            is_ours: Else the node of the client stores it, and this one only if that does not.
        """
        entry = self._entry(document)
        if entry.failures or entry.is_taken:
            return
        latest_s = entry.since_s + self._max_debounce_s
        if is_ours:
            entry.due_s = min(self._clock() + self._debounce_s, latest_s)
        elif entry.due_s is None:
            entry.due_s = latest_s

    def urge(self, document: Document) -> None:
        """A document has to be stored now; after a failure, when it is tried again."""
        if not self._entry(document).failures:
            self.soon(document)

    def soon(self, document: Document) -> None:
        """A document has to be stored now; after a failure it is tried at once, too."""
        entry = self._entry(document)
        entry.due_s = self._clock()
        if not entry.is_taken:
            self._urgent.append(document)

    def failed(self, document: Document) -> None:
        """A document could not be stored: again, later."""
        entry = self._entry(document)
        entry.is_taken = False
        entry.failures += 1
        pause_s = min(_FIRST_RETRY_S * 2.0 ** min(entry.failures - 1, 10), _LONGEST_RETRY_S)
        entry.due_s = self._clock() + pause_s

    def take_urgent(self) -> list[Document]:
        """The documents that have to be stored now, without a look at all others."""
        urgent = []
        while self._urgent:
            document = self._urgent.popleft()
            entry = self._entries.get(document)
            if entry is not None and not entry.is_taken:
                entry.is_taken = True
                urgent.append(document)
        return urgent

    def take_due(self) -> list[Document]:
        """The documents whose time has come; each stays until it is ``done``, or ``failed``."""
        now_s = self._clock()
        due = []
        for document, entry in self._entries.items():
            if entry.due_s is not None and entry.due_s <= now_s and not entry.is_taken:
                entry.is_taken = True
                due.append(document)
        return due

    def done(self, document: Document) -> None:
        """A document has been stored."""
        self._entries.pop(document, None)

    def _entry(self, document: Document) -> _Entry:
        entry = self._entries.get(document)
        if entry is None:
            entry = self._entries[document] = _Entry(self._clock())
        return entry
