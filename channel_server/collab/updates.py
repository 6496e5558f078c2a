"""The content of one document, as the bytes of its updates: merged, and what came since.

yrs is never asked to integrate them into a document: it keeps text as UTF-8 and loses what splits
a character that JavaScript writes as two. Merged bytes keep everything (docs/decisions/0012).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.collab.merging import LIGHT_BYTES, merge
from channel_server.collab.messages import EMPTY_UPDATE

if TYPE_CHECKING:
    from channel_server.collab.merging import Steps

_FOLD_AFTER: Final = 32


class Updates:
    """A pile of pieces whose sizes at least double from the top to the bottom.

    So to add an update costs the logarithm of the document's size, not the size.

    Args:
        stored: The document as it was kept; None for a new one.

    Attributes:
        size: Bytes of all pieces.
    """

    __slots__ = ("_fresh", "_pieces", "size")

    def __init__(self, stored: bytes | None) -> None:
        self._pieces = [stored] if stored else []
        self._fresh = 0
        self.size = len(stored or b"")

    @property
    def is_empty(self) -> bool:
        """Whether nothing was ever written."""
        return not self._pieces

    def add(self, update: bytes) -> None:
        """Add an update that can be decoded."""
        self._pieces.append(update)
        self.size += len(update)
        self._fresh += 1
        if self._fresh >= _FOLD_AFTER:
            self._fold()

    def _fold(self) -> None:
        """Merge what is on top, and what below it is not much larger."""
        start = len(self._pieces) - self._fresh
        size = sum(map(len, self._pieces[start:]))
        while start and len(self._pieces[start - 1]) <= min(2 * size, LIGHT_BYTES - size):
            start -= 1
            size += len(self._pieces[start])
        self._fresh = 0
        if size <= LIGHT_BYTES:
            self._replace(start, len(self._pieces), merge(*self._pieces[start:]).run())

    def _replace(self, start: int, end: int, merged: bytes) -> None:
        self._pieces[start:end] = [merged]
        self.size = sum(map(len, self._pieces))

    def snapshot(self) -> Steps[bytes]:
        """Return all of the document as one update, as it is now."""
        pieces = list(self._pieces)
        if not pieces:
            return EMPTY_UPDATE
        if len(pieces) == 1:
            return pieces[0]
        merged = yield merge(*pieces)
        # Others may have folded, or merged, meanwhile: then their work stands.
        if self._begins_with(pieces):
            self._replace(0, len(pieces), merged)
            self._fresh = len(self._pieces) - 1
        return merged

    def _begins_with(self, pieces: list[bytes]) -> bool:
        return len(self._pieces) >= len(pieces) and all(
            mine is other for mine, other in zip(self._pieces, pieces, strict=False)
        )

    def holds(self, update: bytes) -> Steps[bool]:
        """Return whether the document has all that an update brings."""
        snapshot = yield from self.snapshot()
        return (yield merge(snapshot, update)) == snapshot

    def shrink(self, snapshot: bytes, compacted: bytes) -> None:
        """Take the compacted form of a snapshot, if it is still there as it was."""
        if self._pieces and self._pieces[0] is snapshot:
            self._replace(0, 1, compacted)
