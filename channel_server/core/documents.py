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

    @property
    def may_forget(self) -> bool:
        """Whether what was kept has to be looked at: it may be gone, or an older version be back."""
        ...

    async def has(self, name: str, version: bytes) -> bool:
        """Tell whether it still has this version of a document. To ask counts as using it."""
        ...

    async def forget(self, older_than_s: float) -> None:
        """Drop documents that nobody has changed for so long."""
        ...
