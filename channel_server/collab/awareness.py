"""Who is at a document, and where: states that clients tell each other, by the y-protocols rules.

A state is JSON text that is handed on as it came. Each has a clock that its client counts up; an
older clock never wins. A client leaves with the seat through which it was heard last: in the original it
is the one that has added it, which removes who has reconnected when the old connection breaks. Source: y-protocols 1.0, awareness.js, whose rules are kept exactly:
providers 2 and 3 echo every foreign state, and only the clock tells an echo from news.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, NamedTuple, TypeVar

from channel_server.collab.lib0 import Reader, buffer, uint
from channel_server.core import strict_json
from channel_server.errors import MalformedFrame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

OUTDATED_S: Final = 30.0
"""A state that was not renewed for so long is dropped; clients renew theirs every 15 s."""

_MAX_CLIENTS: Final = 10_000
_MAX_GONE: Final = 1_000
_MAX_BYTES: Final = 1024 * 1024
_GONE: Final = b"null"

Owner = TypeVar("Owner")


class _Told(NamedTuple, Generic[Owner]):
    """The last that was heard of a client.

    Attributes:
        clock: Counted by the client.
        state: JSON; None for one that is gone.
        heard_at_s: When.
        owner: Through whom.
    """

    clock: int
    state: bytes | None
    heard_at_s: float
    owner: Owner | None


class Awareness(Generic[Owner]):
    """The states of one document's clients.

    Memory is bounded: 1 MiB of states, and the clocks of 1,000 clients that are gone.

    Args:
        clock: Monotonic seconds.
    """

    __slots__ = ("_clock", "_size", "_told")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._told: dict[int, _Told[Owner]] = {}
        self._size = 0

    @property
    def is_empty(self) -> bool:
        """Whether nobody is there."""
        return self._size == 0

    @property
    def present(self) -> list[int]:
        """Who is there."""
        return [client for client, told in self._told.items() if told.state is not None]

    def apply(self, update: bytes, owner: Owner | None) -> list[int]:
        """Take what a client tells about itself, and about others.

        Args:
            update: As it came.
            owner: Through whom; its clients leave with it.

        Returns:
            The clients that are news.

        Raises:
            MalformedFrame: If it cannot be read, a state is not JSON, or there is too much of it;
                what stands before that counts.
        """
        reader = Reader(update)
        count = reader.uint()
        if count > _MAX_CLIENTS or len(update) > _MAX_BYTES:
            raise MalformedFrame("too many states")
        news: dict[int, None] = {}
        for _ in range(count):
            client, clock, state = reader.uint(), reader.uint(), reader.buffer()
            if self._hear(client, clock, _checked(state), owner):
                news[client] = None
        return list(news)

    def _hear(self, client: int, clock: int, state: bytes | None, owner: Owner | None) -> bool:
        told = self._told.get(client)
        known = 0 if told is None else told.clock
        is_goodbye = (
            state is None
            and clock == known
            and told is not None
            and told.state is not None
            # It may have come here from another node, which says its goodbye after that.
            and (owner is not None or told.owner is None)
        )
        if clock <= known and not is_goodbye:
            return False
        self._keep(client, _Told(clock, state, self._clock(), owner))
        # One that was never there, and is gone, is not worth a word.
        return told is not None or state is not None

    def _keep(self, client: int, new: _Told[Owner]) -> None:
        old = self._told.pop(client, None)
        size = self._size + _size(new) - (0 if old is None else _size(old))
        if size > _MAX_BYTES or len(self._told) >= _MAX_CLIENTS:
            if old is not None:
                self._told[client] = old
            raise MalformedFrame("too many states")
        self._size = size
        self._told[client] = new
        if new.state is None and len(self._told) > _MAX_GONE:
            self._forget_gone()

    def _forget_gone(self) -> None:
        """Forget the older half of those that are gone."""
        gone = [client for client, told in self._told.items() if told.state is None]
        if len(gone) > _MAX_GONE:
            for client in gone[: len(gone) // 2]:
                del self._told[client]

    def remove_of(self, owner: Owner) -> list[int]:
        """Whoever came through an owner is gone. Return the clients."""
        return self._remove(client for client, told in self._told.items() if told.owner is owner)

    def remove_outdated(self) -> list[int]:
        """Whoever was not heard of for too long is gone. Return the clients."""
        limit = self._clock() - OUTDATED_S
        return self._remove(
            client for client, told in self._told.items() if told.heard_at_s <= limit
        )

    def _remove(self, clients: Iterable[int]) -> list[int]:
        """The clock stays: an echo of the last state must not bring it back."""
        removed = [client for client in clients if self._told[client].state is not None]
        for client in removed:
            told = self._told[client]
            self._keep(client, _Told(told.clock, None, told.heard_at_s, None))
        return removed

    def update_for(self, clients: Iterable[int]) -> bytes:
        """Encode what was last heard of clients."""
        parts = []
        for client in clients:
            told = self._told.get(client)
            if told is not None:
                state = _GONE if told.state is None else told.state
                parts.append(uint(client) + uint(told.clock) + buffer(state))
        return uint(len(parts)) + b"".join(parts)


def _checked(state: bytes) -> bytes | None:
    """The state, None for ``null``. What a browser cannot parse must not reach one."""
    try:
        return None if strict_json.loads(state) is None else state
    except ValueError:
        raise MalformedFrame("a state is not JSON") from None


def _size(told: _Told[Owner]) -> int:
    return 0 if told.state is None else len(told.state)
