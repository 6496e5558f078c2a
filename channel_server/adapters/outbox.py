"""The outbox in Redis: messages for Matrix that have been heard and not been sent."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from channel_server.adapters.line import encode
from channel_server.adapters.outbox_scripts import (
    DONE,
    HEARD,
    LEASE,
    OUTBOX,
    RECORD,
    RELEASE,
    STATE,
    TICK,
)

if TYPE_CHECKING:
    from channel_server.adapters.commands import Commands

_OUTBOX: Final = OUTBOX.encode()
_STATE: Final = STATE.encode()
_LEASE: Final = LEASE.encode()
_WITHIN_S: Final = 2.0
_SPARE_S: Final = 600
_MAX_ENTRIES: Final = 10_000
_MAX_BYTES: Final = 32 * 1024 * 1024
_COUNT: Final = b"25"


class Recorded(enum.Enum):
    """What became of a message."""

    NEW = "new"  # it waits in the outbox now
    KNOWN = "known"  # another node was faster
    FULL = "full"  # there was no room for it


@dataclass(frozen=True, slots=True)
class Hearing:
    """One message as one node has heard it.

    Attributes:
        listener: Name of the node, a colon, and the number of its subscription.
        since_ms: The clock of Redis before it was made.
        number: 1, 2, … in the order of hearing.
    """

    listener: str
    since_ms: int
    number: int


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The outbox as a tick has found it.

    Attributes:
        is_ours: Whether this node sends.
        now_ms: The clock of Redis, in milliseconds since 1970.
        waiting: How many messages wait.
    """

    is_ours: bool
    now_ms: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A message that waits.

    Attributes:
        id: Of the stream, such as ``1700000000000-0``: when it was heard, in milliseconds.
        channel: Redis channel.
        payload: As it was published.
    """

    id: str
    channel: str
    payload: bytes = field(repr=False)  # it holds an access token

    @property
    def at_ms(self) -> int:
        """When it was heard, by the clock of Redis."""
        return int(self.id.partition("-")[0])


class Outbox:
    """Records, hands out, and deletes. Every method raises ``RedisLost`` and ``RedisRefused``.

    Args:
        commands: To Redis.
        node: Name of this node.
        lease_s: How long the right to send is good for.
        max_age_s: What is older will not be sent.
        max_entries: No more messages wait than this.
        max_bytes: Their payloads, together, are no larger.
    """

    def __init__(
        self,
        commands: Commands,
        *,
        node: str,
        lease_s: float,
        max_age_s: int,
        max_entries: int = _MAX_ENTRIES,
        max_bytes: int = _MAX_BYTES,
    ) -> None:
        self._commands = commands
        self._node = node.encode()
        self._lease_ms = b"%d" % round(lease_s * 1000)
        self._keep_s = b"%d" % (max_age_s + _SPARE_S)
        self._max_entries = b"%d" % max_entries
        self._max_bytes = b"%d" % max_bytes

    async def now_ms(self) -> int:
        """The clock of Redis, in milliseconds since 1970."""
        seconds, micros = await self._commands.execute(encode(b"TIME"), within_s=_WITHIN_S)
        return int(seconds) * 1000 + int(micros) // 1000

    async def record(self, hearing: Hearing, channel: str, payload: bytes) -> Recorded:
        """Add a message, unless another node has. To ask again does no harm."""
        words = hashlib.sha256(channel.encode() + b"\0" + payload).hexdigest()
        arguments = (
            hearing.listener.encode(),
            b"%d" % hearing.number,
            b"%d" % hearing.since_ms,
            channel.encode(),
            payload,
            *(self._keep_s, self._max_entries, self._max_bytes),
        )
        keys = (_OUTBOX, _STATE, f"{HEARD}{words}".encode())
        reply = await self._commands.run_script(RECORD, keys, arguments, _WITHIN_S)
        return Recorded(reply.decode())

    async def tick(self) -> OutboxState:
        """Take the lease if it is free, renew it if it is ours, and look."""
        arguments = (self._node, self._lease_ms, self._keep_s)
        is_ours, now_ms, waiting = await self._commands.run_script(
            TICK, (_OUTBOX, _STATE, _LEASE), arguments, _WITHIN_S
        )
        return OutboxState(bool(is_ours), int(now_ms), waiting)

    async def after(self, last_id: str) -> list[Entry]:
        """Some entries after one of them, oldest first; ``0`` is before the first."""
        begin = f"{last_id.partition('-')[0]}-{int(last_id.partition('-')[2] or 0) + 1}".encode()
        command = encode(b"XRANGE", _OUTBOX, begin, b"+", b"COUNT", _COUNT)
        found = await self._commands.execute(command, within_s=_WITHIN_S)
        return [_entry(*item) for item in found]

    async def read(self, entry_id: str) -> Entry | None:
        """One entry; None if it is gone."""
        name = entry_id.encode()
        command = encode(b"XRANGE", _OUTBOX, name, name)
        found = await self._commands.execute(command, within_s=_WITHIN_S)
        return _entry(*found[0]) if found else None

    async def delete(self, entry_id: str) -> None:
        """Forget a message: it was sent, or never will be."""
        keys = (_OUTBOX, _STATE)
        await self._commands.run_script(DONE, keys, (entry_id.encode(),), _WITHIN_S)

    async def release(self) -> None:
        """Let another node send."""
        await self._commands.run_script(RELEASE, (_LEASE,), (self._node,), _WITHIN_S)


def _entry(stream_id: bytes, fields: list[Any] | None) -> Entry:
    named = dict(zip((fields or [])[::2], (fields or [])[1::2], strict=False))
    channel = named.get(b"c", b"").decode(errors="replace")
    return Entry(stream_id.decode(), channel, named.get(b"d", b""))
