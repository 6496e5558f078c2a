"""Who records: one node at a time, for as long as it is proven to hear.

The lease runs out after three seconds without a word of its holder. A node takes it when nobody
has it, and from a holder that has gone deaf: when a message that it has heard itself is not in the
journal after two seconds. A node that has not heard everything since the last holder's proof lets
others go first: what it has missed, they may have.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final, NoReturn

from channel_server.core.journal_state import JournalState, LeaseWish, Role
from channel_server.errors import RedisLost, RedisRefused
from channel_server.live.patience import Patience
from channel_server.live.recorder import NO_ANSWER, Duty
from channel_server.live.wholeness import Wholeness
from channel_server.log import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal_state import Bounds
    from channel_server.live.recorder import Recorder
    from channel_server.live.seams import Coverage, Store

log = logging.getLogger(__name__)

_FORGOTTEN: Final = (
    "Redis has forgotten it: restarted or failed over without it, flushed, or evicted"
)
_BOUNDS: Final = ("recovery_s", "entries", "bytes")

LEASE_S: Final = 3.0
_TICK_S: Final = 0.5
_LOOK_S: Final = 0.25
_YIELD_S: Final = 0.75


class Lease:
    """Takes and renews the lease, and knows how the journal is.

    Args:
        store: The shared journal.
        recorder: What this node does with what it hears.
        bounds: Of the journal, as this node has them.
        position: How far this node has read the journal.
        are_gaps_admitted: False if nobody publishes plainly: then nothing can be missed.
        clock: Monotonic seconds.
        changed: Called when ``is_settled`` or the recorder's trouble has changed.

    Attributes:
        coverage: What this node hears; set before ``run``.
        state: The journal as of the last tick.
        is_settled: The lease is somebody's, and a gap that came with it has been read.
        wholeness: Whether the journal holds everything that is published.
    """

    coverage: Coverage

    def __init__(
        self,
        store: Store,
        recorder: Recorder,
        *,
        bounds: Bounds,
        position: Callable[[], int],
        are_gaps_admitted: bool,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._bounds = bounds
        self._seldom = Seldom(clock)
        self._recorder = recorder
        self._position = position
        self._are_gaps_admitted = are_gaps_admitted
        self._clock = clock
        self._changed = changed
        self._must_release = False
        self._covered_at_release: int | None = None
        self._is_unreadable = False
        self._is_stopping = False
        self._patience = Patience(position, clock)
        self._ticked_at_s = self._state_at_s = float("-inf")
        self._free_since_s: float | None = None
        self._settled_at: int | None = None
        self._wake = asyncio.Event()
        self.state: JournalState | None = None
        self.is_settled = False
        self.wholeness = Wholeness(recorder, position, are_gaps_admitted=are_gaps_admitted)

    # ── what happens ────────────────────────────────────────────────────────────────────────

    def proven(self, sent_at_s: float) -> None:
        """What was published before this moment has been heard by now."""
        self._recorder.proven(sent_at_s)
        if self._recorder.duty is Duty.WATCHING and not self.wholeness.event.is_set():
            self._wake.set()

    def deaf(self) -> None:
        """The subscription is lost: somebody else may hear better."""
        self.wholeness.deaf()
        if self._recorder.duty is not Duty.WATCHING:
            # What has been heard and not sent to be appended is not covered.
            self._covered_at_release = self._covered_to()
            self._recorder.watch()
            self._must_release = True
            self._wake.set()

    def troubled(self) -> None:
        """The recorder is in trouble, or out of it."""
        if self._recorder.trouble:
            self.wholeness.troubled()
        self._changed()

    def reconnected(self) -> None:
        """What was under way may or may not have been appended: the journal will tell."""
        self._recorder.watch()
        self._wake.set()

    def overrun(self) -> None:
        """Entries were gone before this node has read them."""
        self._recorder.overrun()
        self.coverage.probe()

    def progress(self) -> None:
        """More of the journal has been read."""
        self._recorder.appends.read_to(self._position())
        if self._settled_at is not None and self._position() >= self._settled_at:
            self._settled_at = None
            self.is_settled = True
            self._changed()
        is_ready = self._has_read_all() and not self._recorder.is_behind
        if self._recorder.duty is Duty.TAKING and is_ready:
            self._recorder.record()
        if self.state is not None and self.wholeness.is_doubtful:
            self._judge(self.state)

    def _has_read_all(self) -> bool:
        return self.state is not None and self._position() >= self.state.last

    # ── every half second ───────────────────────────────────────────────────────────────────

    async def run(self) -> NoReturn:
        """Look after the lease until cancelled."""
        while True:
            is_asked = self._wake.is_set()
            self._wake.clear()
            if is_asked or self._clock() - self._ticked_at_s >= _TICK_S:
                try:
                    await self.tick()
                except RedisRefused as error:
                    self._recorder.degrade(error.code)
                except RedisLost:
                    pass  # how long that may go on is seen below
            self._look()
            is_calm = self._recorder.oldest is None and not self._recorder.trouble
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_TICK_S if is_calm else _LOOK_S):
                    await self._wake.wait()

    async def tick(self) -> JournalState:
        """Renew or take the lease, and see how things are.

        Raises:
            RedisLost: If there is no answer.
            RedisRefused: If the journal cannot be written.
        """
        recorder = self._recorder
        self._ticked_at_s = asked_at_s = self._clock()
        if self._must_release:
            await self._store.release(self._covered_at_release, for_good=False)
            self._must_release = False
            self._free_since_s = asked_at_s
        if recorder.duty is not Duty.WATCHING:
            self.coverage.probe()
        wish = self._wish()
        gaps_admitted = recorder.appends.gaps_admitted
        was_done = recorder.duty is Duty.RECORDING and recorder.appends.is_done
        state = await self._store.tick(wish, self._covered_to())
        recorder.answered_at_s = self._clock()
        if self.state is not None:
            self._compare(self.state, state)
        self.state, self._state_at_s = state, asked_at_s
        self.wholeness.appended(gaps_admitted, state.last)
        await self._make_good()
        self._assume(state)
        recorder.look_after(asked_at_s if self._has_read_all() else float("-inf"))
        self._judge(state)
        if was_done or state.role is Role.OTHER:
            self._settle(state)
        return state

    def _compare(self, before: JournalState, state: JournalState) -> None:
        """Tell what Redis has forgotten, and what other nodes have been told differently."""
        if before.epoch != state.epoch:
            self.wholeness.begun()
            log.warning("journal begun anew", extra={"reason": _FORGOTTEN})
        ours, theirs = self._bounds.shared, state.bounds
        if theirs is not None and theirs != ours and self._seldom.may_say("bounds"):
            log.warning(
                "another node has other bounds of the journal",
                extra=dict(zip(_BOUNDS, map(_both, ours, theirs), strict=True)),
            )

    def _wish(self) -> LeaseWish:
        is_fit = self.coverage.covered_from is not None and not self._recorder.is_behind
        if self._is_stopping or self.state is None or not is_fit:
            return LeaseWish.WATCH
        if self._free_since_s is not None and self._has_hole(self.state):
            waited_s = self._clock() - self._free_since_s
            if self.state.nodes > 1 and waited_s < _YIELD_S:
                return LeaseWish.WATCH
        oldest = self._recorder.oldest
        is_overdue = (
            oldest is not None
            and self._has_read_all()
            and self._recorder.is_overdue(oldest, self._state_at_s)
        )
        return LeaseWish.FORCE if is_overdue else LeaseWish.TAKE

    def _covered_to(self) -> int | None:
        """Up to when all that was published has been heard, and sent to be appended before this."""
        is_sent = self._recorder.duty is Duty.RECORDING and self._recorder.appends.is_idle
        return self.coverage.covered_to or None if is_sent else None

    async def _make_good(self) -> None:
        """The journal can be written: admit what clients may have missed, and trust it again."""
        recorder = self._recorder
        is_due = recorder.trouble or (
            recorder.appends.must_admit_gap and recorder.duty is Duty.WATCHING
        )
        if self._is_unreadable or not is_due:
            return
        if recorder.appends.must_admit_gap:
            recorder.appends.must_admit_gap = False
            try:
                self.wholeness.admitted(await self._store.admit_gap())
            except (RedisLost, RedisRefused):
                recorder.appends.must_admit_gap = True
                raise
        recorder.heal()

    def _assume(self, state: JournalState) -> None:
        """Do what follows from whose the lease is."""
        recorder = self._recorder
        if state.role is not Role.FREE:
            self._free_since_s = None
        elif self._free_since_s is None:
            self._free_since_s = self._clock()
            self._wake.set()  # to take it, now that this is known
        if state.role in {Role.OTHER, Role.FREE}:
            if recorder.duty is not Duty.WATCHING:
                recorder.watch()
        elif recorder.duty is Duty.WATCHING and not self._must_release:
            self._take(state)

    def _take(self, state: JournalState) -> None:
        """The lease is ours. What was published in a hole of everybody's hearing is admitted."""
        if self._has_hole(state):
            self._recorder.appends.must_admit_gap = True
        self._recorder.duty = Duty.TAKING
        log.info("recording", extra={"gap": self._recorder.appends.must_admit_gap})
        self.progress()

    def _has_hole(self, state: JournalState) -> bool:
        """Whether something may have been published between the last proof and our own hearing."""
        covered_from, covered_to = self.coverage.covered_from, state.covered_to
        is_hole = covered_from is None or covered_to is None or covered_from > covered_to
        return is_hole and self._are_gaps_admitted

    def _judge(self, state: JournalState) -> None:
        self.wholeness.judge(state, self.coverage.covered_from)

    def _settle(self, state: JournalState) -> None:
        if not self.is_settled:
            self._settled_at = state.last
            self.progress()

    # ── trouble, and the end ────────────────────────────────────────────────────────────────

    def refused(self, code: str) -> None:
        """The journal cannot be read."""
        self._is_unreadable = True
        self._recorder.degrade(code)

    def readable(self) -> None:
        """The journal has been read, or has said that there is nothing new in it."""
        self._is_unreadable = False
        self._patience.read()

    def _look(self) -> None:
        """See whether a message, or the journal itself, has been waited for too long."""
        recorder, oldest = self._recorder, self._recorder.oldest
        is_heard = self.coverage.covered_from is not None
        if self._patience.cannot_read(oldest):
            self._is_unreadable = True
            recorder.degrade(NO_ANSWER)
        elif self._patience.cannot_ask(oldest, recorder.answered_at_s, is_heard=is_heard):
            recorder.degrade(NO_ANSWER)
        elif recorder.trouble:
            recorder.deliver_waiting()

    async def stop(self) -> None:
        """Append what has been heard, and give the lease back."""
        self._is_stopping = True
        await self._recorder.appends.finish()
        try:
            await self._store.release(self._covered_to(), for_good=True)
        except (RedisLost, RedisRefused):
            if self._recorder.duty is not Duty.WATCHING:
                log.warning("lease not released")


def _both(ours: int, theirs: int) -> str:
    return f"{ours} here, {theirs} there"
