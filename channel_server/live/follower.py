"""This node follows the journal: what others and itself have appended becomes what clients get."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Final

from channel_server.core.offsets import position_at
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract import CONTROL
from publisher.contract.journal import BEGIN, GAP, LIBRARY, PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal import Tail
    from channel_server.core.messages import Content
    from channel_server.core.offsets import Offset
    from channel_server.core.unseen import Heard
    from channel_server.live.intake import Intake
    from channel_server.live.lease import Lease
    from channel_server.live.seams import EpochStore, StreamEntry
    from channel_server.metrics import Metrics

_MESSAGES: Final = frozenset({PLAIN.encode(), LIBRARY.encode()})
_GAP: Final = GAP.encode()
_BEGIN: Final = BEGIN.encode()
_EPOCH: Final = re.compile(rb"[A-Za-z0-9_-]{1,32}")
_GATHER_S: Final = 0.05
_OLD_MS: Final = 10_000
_CATCH_UP_S: Final = 2.0


class Follower:
    """Takes every entry once, in order; knows how far it has come.

    Args:
        tail: What is remembered.
        lease: Tells how the journal is, and is told how far this node has read.
        seen: Tells whether a message was heard (clients may have it already); its second argument
            says that it is too old to be heard from now on.
        intake: Delivers.
        store: Where epochs are begun.
        gap_seen: Called with every gap.
        overrun: Called when this node has missed entries for good: clients that are connected
            have to be told.
        metrics: Counts.
        changed: Called when the node has read all there was for the first time.

    Attributes:
        is_loaded: The past has been read: clients can be let in.
    """

    def __init__(
        self,
        tail: Tail,
        lease: Lease,
        seen: Callable[[Content, bool], Heard | None],
        intake: Intake,
        store: EpochStore,
        *,
        gap_seen: Callable[[], None],
        overrun: Callable[[], None],
        metrics: Metrics,
        changed: Callable[[], None],
    ) -> None:
        self._tail = tail
        self._lease = lease
        self._seen = seen
        self._gap_seen = gap_seen
        self._intake = intake
        self._store = store
        self._overrun = overrun
        self._metrics = metrics
        self._changed = changed
        self._known: dict[int, bytes] = {}
        self._known_to = 0
        self._number = 0
        self._target = 0
        self._past = 0
        self._ordered_to = 0
        self._moved = asyncio.Event()
        self._looking = asyncio.Lock()
        self._looks = 0
        self.is_loaded = False

    async def begin(self) -> int:
        """Find out where to read on.

        Returns:
            The position after which the next entry is to be read.

        Raises:
            RedisLost: If there is no answer.
            RedisRefused: If the journal cannot be read.
        """
        tail = self._tail
        state = await self._lease.tick()
        if state.epoch == tail.epoch and state.last >= tail.position:
            tail.trimmed(state.trimmed)
            return tail.position
        if state.epoch == tail.epoch:
            # Ids went backwards: another Redis, that has not got all of ours, has taken over.
            await self._store.begin_after(state.epoch)
            state = await self._lease.tick()
        # What is in there may be new to our clients, or not: it is compared with what they got.
        # A node that has none yet has delivered nothing, and need not.
        self._known, self._known_to = tail.frames(), tail.complete_from_position
        self._number = 0
        self._past = 0 if tail.epoch else state.last
        self._ordered_to = tail.position
        self._target = state.last
        tail.begin(state.epoch, 0)
        tail.trimmed(state.trimmed)
        return state.trimmed

    def take(self, entry: StreamEntry) -> int:
        """Take one entry. Never raises.

        Returns:
            Bytes written to clients.
        """
        position = entry.position
        if entry.number:
            self._count(entry)
        if entry.kind in _MESSAGES:
            if self._is_known(entry):
                self._tail.advance(position)
                return 0
            return self._take_message(entry)
        if entry.kind == _GAP:
            self._metrics.gaps += 1
            self._tail.gap(position)
            self._gap_seen()
        elif entry.kind == _BEGIN and _EPOCH.fullmatch(entry.data):
            self._begun(entry.data.decode(), position)
        else:
            self._metrics.junk_entries += 1
            self._tail.advance(position)
        return 0

    def _count(self, entry: StreamEntry) -> None:
        """See whether an entry follows the one before it.

        If not, those in between were trimmed before this node has read them, or a replica that
        lagged behind has taken over.
        """
        is_next = self._number in {0, entry.number - 1} or entry.kind == _BEGIN
        self._number = entry.number
        if not is_next:
            self._metrics.overruns += 1
            self._tail.gap(entry.position - 1)
            self._overrun()

    def _take_message(self, entry: StreamEntry) -> int:
        heard = self._seen((entry.channel, entry.data), self._is_old(entry))
        message = heard.message if heard is not None else None
        if message is None:
            message = self._intake.read((entry.channel, entry.data))
        if message is None:
            self._tail.advance(entry.position)
            return 0
        if entry.channel == CONTROL and entry.position <= self._ordered_to:
            is_delivered = True
        elif heard is not None:
            is_delivered = heard.is_delivered
        else:
            # What this node reads up to where it begins was meant for those who were there then.
            is_delivered = entry.position <= self._past
        return self._intake.keep(
            message, entry.position, entry.stream_id, is_delivered=is_delivered
        )

    def _is_old(self, entry: StreamEntry) -> bool:
        """Whether an entry was published so long ago that it will not be heard any more."""
        state = self._lease.state
        return state is not None and entry.position < position_at(state.now_ms - _OLD_MS)

    def _begun(self, epoch: str, position: int) -> None:
        """An epoch begins here; while the past is read, those that have ended do not count."""
        if position > self._target:
            self._tail.begin(epoch, position)
        else:
            self._tail.advance(position)

    def _is_known(self, entry: StreamEntry) -> bool:
        """Whether clients got just this entry in an earlier epoch."""
        if entry.position <= self._known_to:
            return True
        frame = self._known.pop(entry.position, None) if self._known else None
        return frame is not None and entry.data in frame

    def progress(self) -> None:
        """Some entries have been taken, or there was nothing to take for a while."""
        state = self._lease.state
        if state is not None:
            self._tail.trim(state.now_ms)
        self._moved.set()
        self._moved.clear()
        if self._tail.position >= self._target:
            self._known, self._known_to = {}, 0
            if not self.is_loaded:
                self.is_loaded = True
                self._changed()
        self._lease.progress()

    async def reach(self, offset: Offset) -> None:
        """Read on until an offset that is ahead of this node is reached, if it exists at all."""
        ticket = self._looks
        async with self._looking:
            # One look does for all who came before it, and gives some more the time to come.
            if not self._tail.is_ahead(offset) or self._looks > ticket:
                return
            await asyncio.sleep(_GATHER_S)
            self._looks += 1
            with contextlib.suppress(RedisLost, RedisRefused, TimeoutError):
                state = await self._lease.tick()
                async with asyncio.timeout(_CATCH_UP_S):
                    while self._tail.position < state.last or self._tail.epoch != state.epoch:
                        await self._moved.wait()
