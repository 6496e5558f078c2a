"""What the parts around the journal need of those that speak to Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channel_server.core.journal_state import Appended, JournalState, LeaseWish
    from channel_server.core.messages import Content


class Appender(Protocol):
    """Where messages are appended, as ``adapters.journal`` has it."""

    def append(
        self,
        contents: Sequence[Content],
        answer: Callable[[Appended, str, int], None],
        *,
        after_gap: bool,
    ) -> bool:
        """Append, if the lease is ours; False if there is no connection."""
        ...


class Store(Protocol):
    """The shared journal, as ``adapters.journal`` has it."""

    async def tick(self, wish: LeaseWish, covered_to: int | None) -> JournalState:
        """Renew or take the lease, and look."""
        ...

    async def admit_gap(self) -> int:
        """Append a gap, whoever has the lease."""
        ...

    async def release(self, covered_to: int | None, *, for_good: bool) -> None:
        """Give the lease back."""
        ...


class Coverage(Protocol):
    """What the subscription is proven to have heard, as ``adapters.feed`` has it."""

    @property
    def covered_from(self) -> int | None:
        """Everything that was published after this was heard; None if that is not known."""
        ...

    @property
    def covered_to(self) -> int:
        """... up to this."""
        ...

    def probe(self) -> None:
        """Find out anew what has been heard."""
        ...


class StreamEntry(Protocol):
    """An entry of the journal, as ``adapters.stream`` has it."""

    @property
    def position(self) -> int:
        """Its id, see ``core.offsets``."""
        ...

    @property
    def stream_id(self) -> bytes:
        """The same as Redis writes it."""
        ...

    @property
    def kind(self) -> bytes:
        """As in ``publisher.contract.journal``."""
        ...

    @property
    def channel(self) -> str:
        """Redis channel."""
        ...

    @property
    def data(self) -> bytes:
        """Payload."""
        ...

    @property
    def number(self) -> int:
        """One more than that of the entry before it; 0 if it has none."""
        ...


class EpochStore(Protocol):
    """Where epochs are begun, as ``adapters.journal`` has it."""

    async def begin_after(self, epoch: str) -> None:
        """End an epoch, unless somebody else has done so."""
        ...
