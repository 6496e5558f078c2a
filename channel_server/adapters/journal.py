"""The journal in Redis, as far as this node writes to it and shares it with others."""

from __future__ import annotations

import functools
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from channel_server.adapters.journal_scripts import ADMIT_GAP, APPEND, BEGIN, RELEASE, TICK
from channel_server.adapters.refusals import code_of, is_refusal
from channel_server.core.journal_state import Appended, Bounds, JournalState, LeaseWish, Role
from channel_server.core.offsets import position_of
from channel_server.errors import RedisRefused
from publisher.contract import journal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channel_server.adapters.commands import Commands
    from channel_server.core.messages import Content

_KEYS: Final = (journal.JOURNAL.encode(), journal.STATE.encode())
_KEYS_AND_LEASE: Final = (*_KEYS, journal.LEASE.encode())
_ALL_KEYS: Final = (*_KEYS_AND_LEASE, journal.NODES.encode())
_PLAIN: Final = journal.PLAIN.encode()
_GAP: Final = journal.GAP.encode()
_MOST_SECRET: Final = 64  # what blake2b takes
_WITHIN_S: Final = 1.0


class Journal:
    """Appends, takes the lease, tells the state.

    The lease belongs to a connection, not to a node: what is still under way on a connection that
    was given up can append nothing after this node has taken its own lease over on the next one.

    Args:
        commands: To Redis.
        node: Name of this node.
        bounds: Written beside the stream, for publishers and other nodes.
        lease_s: How long the lease is good for.
    """

    def __init__(self, commands: Commands, *, node: str, bounds: Bounds, lease_s: float) -> None:
        self._commands = commands
        self._node = node
        # If Redis forgets it, the first node that comes by writes it down again.
        self._secret = secrets.token_urlsafe(16).encode()
        self._lease_ms = b"%d" % round(lease_s * 1000)
        self._bounds = (
            b"%d" % bounds.window_s,
            b"%d" % bounds.max_entries,
            b"%d" % bounds.max_bytes,
        )

    @property
    def lease(self) -> str:
        """What the lease holds if it is ours: node and number of the connection."""
        return f"{self._node}:{self._commands.connections}"

    def append(
        self,
        contents: Sequence[Content],
        answer: Callable[[Appended, str, int], None],
        *,
        after_gap: bool,
    ) -> bool:
        """Append messages that were published plainly.

        Args:
            contents: In order.
            after_gap: Append a gap first.
            answer: Called with the outcome, Redis' error code if that is REFUSED, and the
                position of the last one if it is YES; not called when the connection is lost
                first.

        Returns:
            False if there is no connection.
        """
        words = [self.lease.encode(), _new_epoch()]
        if after_gap:
            words += (_GAP, b"", b"")
        # What is the same for every message is encoded once: 1 instead of 3 µs for each.
        pieces = [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
        for channel, payload in contents:
            pieces += (_head(channel), b"$%d\r\n" % len(payload), payload, b"\r\n")
        count = len(words) + 3 * len(contents)
        command = APPEND.by_name_encoded(_KEYS_AND_LEASE, count, b"".join(pieces))

        def answered(reply: Any) -> None:
            if not (is_refusal(reply) and code_of(reply) == "NOSCRIPT"):
                _settle(answer, reply)
                return
            for channel, payload in contents:
                words.extend((_PLAIN, channel.encode(), payload))
            in_full = APPEND.in_full(_KEYS_AND_LEASE, tuple(words))
            # Not this function again: it would hold itself, and all that is appended.
            self._commands.send(in_full, partial(_settle, answer))

        return self._commands.send(command, answered)

    async def tick(self, wish: LeaseWish, covered_to: int | None) -> JournalState:
        """Say that this node lives, renew or take the lease, trim by age, and look.

        Args:
            wish: What to do about a lease that is not ours.
            covered_to: Up to when this node has heard and appended everything, in microseconds;
                None if that cannot be said. Only the holder's word counts.

        Raises:
            RedisLost: If there is no answer within a second.
            RedisRefused: If the journal cannot be written.
        """
        arguments = (
            self.lease.encode(),
            _new_epoch(),
            self._lease_ms,
            wish.value.encode(),
            *self._bounds,
            self._node.encode(),
            b"" if covered_to is None else b"%d" % covered_to,
            self._secret,
        )
        reply = await self._commands.run_script(TICK, _ALL_KEYS, arguments, _WITHIN_S)
        try:
            state = _state_of(reply)
        except (AttributeError, TypeError, ValueError):
            # Somebody else has written there, or a version that keeps other things.
            raise RedisRefused("BADSTATE") from None
        self._secret = state.secret
        return state

    async def admit_gap(self) -> int:
        """Append a gap. Return its position. Raises what ``tick`` does."""
        stream_id = await self._commands.run_script(ADMIT_GAP, _KEYS, (_new_epoch(),), _WITHIN_S)
        return position_of(stream_id)

    async def begin_after(self, epoch: str) -> None:
        """End an epoch, unless somebody else has done so. Raises what ``tick`` does."""
        arguments = (epoch.encode(), _new_epoch())
        await self._commands.run_script(BEGIN, _KEYS, arguments, _WITHIN_S)

    async def release(self, covered_to: int | None, *, for_good: bool) -> None:
        """Give the lease back, if it is ours. Raises what ``tick`` does.

        Args:
            covered_to: As for ``tick``.
            for_good: This node goes away.
        """
        arguments = (
            self.lease.encode(),
            b"" if covered_to is None else b"%d" % covered_to,
            self._node.encode() if for_good else b"",
        )
        await self._commands.run_script(RELEASE, _ALL_KEYS, arguments, _WITHIN_S)


def _settle(answer: Callable[[Appended, str, int], None], reply: Any) -> None:
    """Tell what became of an append."""
    if not reply:
        answer(Appended.NOT_OURS, "", 0)
    elif is_refusal(reply):
        answer(Appended.REFUSED, code_of(reply), 0)
    else:
        answer(Appended.YES, "", position_of(reply))


def _state_of(reply: Any) -> JournalState:
    """Read what ``TICK`` returns."""
    epoch, trimmed, last, role, covered, now_ms, secret, nodes, (window, entries, size) = reply
    return JournalState(
        epoch=epoch.decode(),
        trimmed=position_of(trimmed),
        last=position_of(last),
        role=Role(role.decode()),
        covered_to=int(covered) if covered else None,
        now_ms=int(now_ms),
        secret=secret[:_MOST_SECRET],
        nodes=nodes,
        bounds=(int(window), int(entries), int(size)) if window and entries and size else None,
    )


@functools.lru_cache(maxsize=16)
def _head(channel: str) -> bytes:
    """Kind and channel of an entry, encoded."""
    name = channel.encode()
    return b"$1\r\n%b\r\n$%d\r\n%b\r\n" % (_PLAIN, len(name), name)


def _new_epoch() -> bytes:
    """A name that no epoch has had: 8 characters."""
    return secrets.token_urlsafe(6).encode()
