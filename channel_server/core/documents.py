"""Collaborative documents as they are kept while nobody is at them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Kept(NamedTuple):
    """A document as it is kept.

    Attributes:
        data: One update; None if there is none.
        version: Tells whether somebody else has kept it since.
    """

    data: bytes | None
    version: bytes = b""


class Store(Protocol):
    """Keeps documents. Every method raises ``StoreFailed``."""

    async def load(self, name: str) -> Kept:
        """Read a document."""
        ...

    async def save(self, name: str, data: bytes, version: bytes) -> bytes | None:
        """Keep a document in place of the version that is known.

        Returns:
            Its version; None if somebody else has kept another one meanwhile: load that first.
        """
        ...

    async def has(self, name: str) -> bool:
        """Tell whether it still has a document that was kept: a store may forget what it must not.

        To ask counts as using it.
        """
        ...

    async def forget(self, older_than_s: float) -> None:
        """Drop documents that nobody has changed for so long."""
        ...
