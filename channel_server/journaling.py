"""Builds what stands between what is heard and what is delivered, as ``JOURNAL`` says."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from channel_server.adapters.journal import Journal
from channel_server.adapters.stream import Stream
from channel_server.core.journal_state import Bounds
from channel_server.live.follower import Follower
from channel_server.live.lease import LEASE_S, Lease
from channel_server.live.local_journal import MemoryJournal, NoJournal
from channel_server.live.recorder import Recorder

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from channel_server.adapters.commands import Commands
    from channel_server.adapters.feed import Feed
    from channel_server.adapters.pauses import Pauses
    from channel_server.config import Settings
    from channel_server.core.journal import Tail
    from channel_server.core.offsets import Offset
    from channel_server.live.intake import Intake
    from channel_server.metrics import Metrics


class Journaling(Protocol):
    """One way from what is heard to what is delivered."""

    @property
    def is_settled(self) -> bool:
        """Whether the past has been read, so that clients can be let in."""
        ...

    @property
    def trouble(self) -> str:
        """Why the journal does not work; empty while it does."""
        ...

    def heard(self, channel: str, payload: bytes) -> int:
        """Take a message from the subscription; return the bytes written to clients."""
        ...

    def proven(self, sent_at_s: float) -> None:
        """What was published before this monotonic second has been heard."""
        ...

    def deaf(self) -> None:
        """Messages may be missing from here on."""
        ...

    @property
    def whole(self) -> asyncio.Event:
        """Set while everything that is published can be recovered."""
        ...

    @property
    def is_doubtful(self) -> bool:
        """Whether it will be known soon if that is so."""
        ...

    @property
    def secret(self) -> bytes:
        """What all nodes of the journal know, and nobody else."""
        ...

    async def reach(self, offset: Offset) -> None:
        """Read on to an offset that is ahead of this node."""
        ...

    def start(self, group: asyncio.TaskGroup, feed: Feed) -> list[asyncio.Task[None]]:
        """Start what runs beside the subscription."""
        ...

    async def stop(self) -> None:
        """Bring to an end what is under way."""
        ...


class SharedJournal:
    """The journal in Redis, shared with other nodes and with publishers.

    Args:
        settings: Address and bounds.
        commands: To Redis.
        node: Name of this node.
        tail: What is remembered.
        intake: Delivers.
        metrics: Counts.
        changed: Called when ``is_settled`` or ``trouble`` may have changed.
        overrun: Called when entries were gone before this node has read them.
        pauses: Between attempts to connect.
    """

    def __init__(
        self,
        settings: Settings,
        commands: Commands,
        *,
        node: str,
        tail: Tail,
        intake: Intake,
        metrics: Metrics,
        changed: Callable[[], None],
        overrun: Callable[[], None],
        pauses: Pauses,
    ) -> None:
        bounds = Bounds(
            window_s=settings.recovery_s,
            max_entries=settings.journal_entries,
            max_bytes=settings.journal_bytes,
            max_message_bytes=settings.max_message_bytes,
        )
        store = Journal(commands, node=node, bounds=bounds, lease_s=LEASE_S)
        self._recorder = Recorder(
            store,
            read=intake.read,
            deliver=intake.deliver,
            deliver_large=intake.pass_over,
            bounds=bounds,
            metrics=metrics,
            clock=time.monotonic,
            changed=self._troubled,
        )
        self._lease = Lease(
            store,
            self._recorder,
            bounds=bounds,
            position=lambda: tail.position,
            are_gaps_admitted=settings.has_plain_publishers,
            clock=time.monotonic,
            changed=changed,
        )
        self._follower = Follower(
            tail,
            self._lease,
            self._recorder.seen,
            intake,
            store,
            gap_seen=self._recorder.gap_seen,
            overrun=self._overrun,
            metrics=metrics,
            changed=self._loaded,
        )
        self._stream = Stream(
            settings.redis_url,
            begin=self._follower.begin,
            take=self._follower.take,
            progress=self._follower.progress,
            is_read=self._lease.readable,
            is_refused=self._lease.refused,
            probe_s=settings.probe_s,
            pauses=pauses,
        )
        self._tell_overrun = overrun
        self._tell_change = changed
        self.heard = self._recorder.heard
        self.proven = self._lease.proven
        self.deaf = self._lease.deaf
        self.reach = self._follower.reach
        self.stop = self._lease.stop
        self.whole = self._lease.wholeness.event
        commands.connected.append(self._lease.reconnected)
        commands.moved.append(self._stream.leave)
        self._has_connected = commands.has_connected

    async def _read(self) -> None:
        """Read the journal as soon as it can be asked about."""
        await self._has_connected.wait()
        await self._stream.run()

    def _loaded(self) -> None:
        self._lease.wholeness.loaded()
        self._tell_change()

    def _overrun(self) -> None:
        self._lease.overrun()
        self._tell_overrun()

    def _troubled(self) -> None:
        self._lease.troubled()

    @property
    def is_settled(self) -> bool:
        """Whether clients can be let in: the past has been read, or cannot be."""
        return bool(self.trouble) or (self._follower.is_loaded and self._lease.is_settled)

    @property
    def is_doubtful(self) -> bool:
        """Whether it will be known soon if the journal is whole."""
        return self._lease.wholeness.is_doubtful

    @property
    def secret(self) -> bytes:
        """What all nodes of the journal know, and nobody else; empty before it was looked at."""
        return b"" if self._lease.state is None else self._lease.state.secret

    @property
    def trouble(self) -> str:
        """Why the journal does not work; empty while it does."""
        return self._recorder.trouble

    def start(self, group: asyncio.TaskGroup, feed: Feed) -> list[asyncio.Task[None]]:
        """Start what looks after the lease and what reads the journal."""
        self._lease.coverage = feed
        return [
            group.create_task(self._lease.run(), name="lease"),
            group.create_task(self._read(), name="journal"),
        ]


def journaling(
    name: str,
    tail: Tail,
    intake: Intake,
    shared: Callable[[], Journaling],
    *,
    max_message_bytes: int,
) -> Journaling:
    """Make the way that the operator has chosen.

    Args:
        name: ``off``, ``memory`` or ``redis``.
        tail: What is remembered.
        intake: Delivers.
        shared: Makes the last one.
        max_message_bytes: What is larger is not kept.
    """
    if name == "off":
        return NoJournal(intake)
    if name == "memory":
        return MemoryJournal(
            tail,
            intake,
            lambda: time.time_ns() // 1_000_000,
            max_message_bytes=max_message_bytes,
        )
    return shared()
