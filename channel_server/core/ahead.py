"""How far appending to the journal may run ahead of reading it: else the end pushes out the rest."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from channel_server.core.unseen import Heard

_BATCH: Final = 200
_BATCH_BYTES: Final = 1024 * 1024
_SHARE: Final = 4
_OVERHEAD_BYTES: Final = 101
"""Of an entry, as ``publisher.contract.journal`` counts."""


class _Load(NamedTuple):
    entries: int
    bytes: int
    position: int = 0


_NOTHING: Final = _Load(0, 0)


class Ahead:
    """What this node has appended and not read yet: a quarter of the journal at most.

    Found with a publisher ten times faster than the node: it appended all that it heard, and the
    journal was trimmed before the node had read it.

    Args:
        max_bytes: Bound of the journal.
        max_entries: Bound of the journal.
    """

    def __init__(self, *, max_bytes: int, max_entries: int) -> None:
        self._max_bytes = max_bytes // _SHARE
        self._max_entries = max_entries // _SHARE
        self._unread: deque[_Load] = deque()
        self._under_way = _NOTHING
        self._bytes = 0
        self._entries = 0

    def take(self, queue: deque[Heard]) -> list[Heard]:
        """Take the first ones from a queue that may be appended now, in one command."""
        limit = min(_BATCH, self._max_entries - self._entries)
        room = min(_BATCH_BYTES, self._max_bytes - self._bytes)
        batch: list[Heard] = []
        total = 0
        while queue and len(batch) < limit:
            channel, payload = queue[0].content
            size = _OVERHEAD_BYTES + len(channel) + len(payload)
            # A message that is larger than all of it has to go alone.
            if total + size > room and (batch or self._unread):
                break
            total += size
            batch.append(queue.popleft())
        self._under_way = _Load(len(batch), total)
        self._entries += len(batch)
        self._bytes += total
        return batch

    def appended(self, position: int) -> None:
        """What was taken last is in the journal, up to this position."""
        self._unread.append(self._under_way._replace(position=position))
        self._under_way = _NOTHING

    def read_to(self, position: int) -> None:
        """This node has read the journal up to here."""
        while self._unread and self._unread[0].position <= position:
            load = self._unread.popleft()
            self._entries -= load.entries
            self._bytes -= load.bytes

    def clear(self) -> None:
        """What becomes of them is not known any more."""
        self._unread.clear()
        self._under_way = _NOTHING
        self._bytes = self._entries = 0
