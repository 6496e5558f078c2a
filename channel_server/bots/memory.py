"""What is worth remembering for a while: bounded in number and in age. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

K = TypeVar("K", bound="Hashable")


class Memory(Generic[K]):
    """Texts by key; the oldest are forgotten.

    Args:
        max_entries: As many as this.
        for_s: No longer than this.
        clock: Monotonic seconds.
    """

    def __init__(self, max_entries: int, for_s: float, clock: Callable[[], float]) -> None:
        self._max_entries = max_entries
        self._for_s = for_s
        self._clock = clock
        self._entries: dict[K, tuple[str, float]] = {}

    def get(self, key: K) -> str | None:
        """What is known of a key."""
        text, until_s = self._entries.get(key, ("", float("-inf")))
        return text if self._clock() < until_s else None

    def put(self, key: K, text: str) -> None:
        """Remember something, from now on."""
        self._entries.pop(key, None)
        self._entries[key] = (text, self._clock() + self._for_s)
        if len(self._entries) > self._max_entries:
            del self._entries[next(iter(self._entries))]

    def is_news(self, key: K) -> bool:
        """Whether a key is not known; from now on it is."""
        if self.get(key) is not None:
            return False
        self.put(key, "known")
        return True

    def forget(self, key: K) -> None:
        """Know nothing of a key any more."""
        self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
