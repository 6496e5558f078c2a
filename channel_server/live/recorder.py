"""From what this node hears to the journal: one node appends, all others make sure that it does.

Every node hears every message that is published plainly. The holder of the lease appends it, the
others keep it until they see it in the journal. Who takes the lease over reads the journal to its
end and appends what is left: nothing is lost, nothing comes twice. Who has the lease is the
business of ``live.lease``.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from channel_server.core.journal_state import Appended
from channel_server.core.unseen import Heard, Unseen
from publisher.contract.journal import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.messages import Content, Message
    from channel_server.live.seams import Appender
    from channel_server.metrics import Metrics

log = logging.getLogger(__name__)

NO_ANSWER: Final = "no answer"
"""Trouble in which Redis has refused nothing: what is under way may still succeed."""

_OVERDUE_S: Final = 2.0
"""What nobody has appended by now is not going to be: its recorder has gone deaf."""

_PATIENCE_S: Final = 1.0
_FORGET_S: Final = 60.0
_STOP_S: Final = 1.0
_BATCH: Final = 200
_BATCH_BYTES: Final = 1024 * 1024


class Duty(enum.Enum):
    """What this node does with what it hears."""

    WATCHING = "watching"  # keeps it until it is in the journal
    TAKING = "taking"  # has the lease, reads the journal to its end
    RECORDING = "recording"  # appends it


class Recorder:
    """Hears, appends, and watches over those that append.

    Invariants, which ``tests/unit/live/test_recorder.py`` checks:

    - one append is under way at a time, so messages enter the journal in the order of hearing;
    - a message is given up only when it has been seen in the journal, or clients have it;
    - in trouble, clients get at once what is heard and is not in the journal for certain, and a
      gap will be admitted.

    Args:
        appender: The journal.
        read: Reads a message; None if it reaches nobody, and is not worth keeping.
        deliver: Gives a message to clients without the journal; returns the bytes written.
        max_bytes: How much may wait to be seen.
        metrics: Counts.
        clock: Monotonic seconds.
        changed: Called when ``trouble`` begins or ends.

    Attributes:
        trouble: Why the journal cannot be written or read; empty while it can.
        duty: What this node does.
        must_admit_gap: Clients may have missed something that is not in the journal.
        gaps_admitted: How many gaps this node has appended.
        answered_at_s: When the journal has last said anything.
    """

    def __init__(
        self,
        appender: Appender,
        *,
        read: Callable[[Content], Message | None],
        deliver: Callable[[Message], int],
        max_bytes: int,
        metrics: Metrics,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._appender = appender
        self._read = read
        self._deliver = deliver
        self._metrics = metrics
        self._clock = clock
        self._changed = changed
        self._unseen = Unseen(max_bytes)
        self._given_up = 0
        self._queue: list[Heard] = []
        self._is_appending = False
        self._is_flush_due = False
        self._idled = asyncio.Event()
        self.trouble = ""
        self.duty = Duty.WATCHING
        self.must_admit_gap = False
        self.gaps_admitted = 0
        self.answered_at_s = clock()

    # ── what is heard, what is seen ─────────────────────────────────────────────────────────

    def heard(self, channel: str, payload: bytes) -> int:
        """Take a message from the subscription. Never raises.

        Returns:
            Bytes written to clients: 0 unless the journal is in trouble.
        """
        is_kept = payload.endswith(MARK)
        content = (channel, payload[: -len(MARK)] if is_kept else payload)
        # What is in the journal is read when it is seen there.
        message = None if is_kept else self._read(content)
        if message is None and not is_kept:
            return 0
        heard = self._unseen.hear(content, self._clock(), message, is_kept=is_kept)
        if heard is None:
            return 0
        if self.trouble and not is_kept:
            return self._deliver_now(heard)
        if not is_kept and self.duty is Duty.RECORDING:
            self._queue.append(heard)
            self._flush_soon()
        return 0

    def seen(self, content: Content, is_old: bool) -> Heard | None:  # noqa: FBT001 - a callback
        """Note an entry of the journal. Return it as it was heard; None if it was not, yet.

        Args:
            content: What it says.
            is_old: It was published so long ago that it will not be heard any more: the same
                words, heard later, are another message.
        """
        return self._unseen.see(content, float("-inf") if is_old else self._clock())

    def proven(self, sent_at_s: float) -> None:
        """What was published before this moment has been heard by now."""
        self._unseen.forget_announced(sent_at_s)

    @property
    def oldest(self) -> Heard | None:
        """The message that clients have been waiting for longest."""
        return next(self._unseen.waiting(), None)

    def is_overdue(self, heard: Heard, read_at_s: float) -> bool:
        """Tell whether a message is not in the journal, and ought to be.

        Args:
            heard: The message.
            read_at_s: This node has read all that was in the journal at this moment.
        """
        # What claims to be in there is the business of who records, first.
        is_patient = heard.is_kept and self.duty is not Duty.RECORDING
        return heard.at_s < read_at_s - (2 * _OVERDUE_S if is_patient else _OVERDUE_S)

    # ── appending ───────────────────────────────────────────────────────────────────────────

    def watch(self) -> None:
        """Append nothing more; what has not been seen is still kept."""
        self.duty = Duty.WATCHING
        self._queue.clear()
        self._is_appending = False

    def record(self) -> None:
        """The lease is ours, and the journal has been read to its end: append what is left."""
        self.duty = Duty.RECORDING
        self._queue = [heard for heard in self._unseen.waiting() if not heard.is_kept]
        self._flush_soon()

    @property
    def is_idle(self) -> bool:
        """Whether everything that was heard has been sent, on the connection of the lease."""
        return not self._queue

    @property
    def has_appended(self) -> bool:
        """Whether everything that was heard is in the journal for certain."""
        return not (self._queue or self._is_appending or self.must_admit_gap)

    def look_after(self, read_at_s: float) -> None:
        """Append what claims to be in the journal and is not; forget what is of no use any more.

        Args:
            read_at_s: This node has read all that was in the journal at this moment.
        """
        self._unseen.forget_delivered(read_at_s - _FORGET_S)
        if self._unseen.given_up > self._given_up:
            self._given_up = self._unseen.given_up
            self.must_admit_gap = True
        if self.duty is not Duty.RECORDING:
            return
        for heard in self._unseen.waiting():
            if not self.is_overdue(heard, read_at_s):
                break
            if heard.is_kept:
                heard.is_kept = False
                self._queue.append(heard)
        self._flush_soon()

    def _flush_soon(self) -> None:
        """Append what has been heard by the end of this turn of the loop, in one go."""
        if not self._is_flush_due:
            self._is_flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_flush_due = False
        has_something = bool(self._queue) or self.must_admit_gap
        if self.duty is not Duty.RECORDING or self._is_appending or not has_something:
            return
        batch = _first(self._queue)
        contents = [heard.content for heard in batch]
        has_gap, self.must_admit_gap = self.must_admit_gap, False
        answer = partial(self._appended, has_gap=has_gap)
        if self._appender.append(contents, answer, after_gap=has_gap):
            self._is_appending = True
            del self._queue[: len(batch)]
        else:
            self.must_admit_gap = has_gap

    def _appended(self, outcome: Appended, code: str, *, has_gap: bool) -> None:
        self.answered_at_s = self._clock()
        self._is_appending = False
        self._idled.set()
        self.must_admit_gap = self.must_admit_gap or (has_gap and outcome is not Appended.YES)
        if outcome is Appended.YES:
            self.gaps_admitted += has_gap
            self._flush()
        elif outcome is Appended.NOT_OURS:
            self.watch()
        else:
            self.degrade(code)

    async def finish(self) -> None:
        """Return when what was heard has been appended; after a second at the latest."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                while self._queue or self._is_appending:
                    self._idled.clear()
                    await self._idled.wait()

    # ── trouble ─────────────────────────────────────────────────────────────────────────────

    def degrade(self, reason: str) -> None:
        """The journal does not work: from now on clients get at once what is heard.

        Args:
            reason: Redis' error code, or what else is wrong.
        """
        if not self.trouble:
            log.warning("journal degraded", extra={"reason": reason})
            self._metrics.degradations += 1
            self.trouble = reason
            self._changed()
        if reason != NO_ANSWER:
            # What a publisher could not append either, it has published, and nobody may have heard.
            self.must_admit_gap = True
        self.watch()
        self.deliver_waiting()

    def deliver_waiting(self) -> None:
        """Give clients what they have been waiting for, in trouble.

        What its publisher has appended gets a second more: it is in the journal, where those who
        come in this moment will find it.
        """
        overdue_s = self._clock() - _PATIENCE_S
        for heard in self._unseen.waiting():
            if not heard.is_kept or heard.at_s < overdue_s:
                self._deliver_now(heard)

    def heal(self) -> None:
        """The journal works again."""
        if self.trouble:
            log.info("journal works again")
            self.trouble = ""
            self._changed()

    def _deliver_now(self, heard: Heard) -> int:
        heard.is_delivered = True
        self.must_admit_gap = True
        message = heard.message or self._read(heard.content)
        return 0 if message is None else self._deliver(message)


def _first(queue: list[Heard]) -> list[Heard]:
    """As many of the first as go into one command."""
    size = 0
    for number, heard in enumerate(queue[:_BATCH]):
        size += len(heard.content[1])
        if size > _BATCH_BYTES and number:
            return queue[:number]
    return queue[:_BATCH]
