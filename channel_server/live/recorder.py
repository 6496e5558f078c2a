"""From what this node hears to the journal: one node appends, all others make sure that it does.

Every node hears every message that is published plainly. The holder of the lease appends it, the
others keep it until they see it in the journal. Who takes the lease over reads the journal to its
end and appends what is left: nothing is lost, nothing comes twice. Who has the lease is the
business of ``live.lease``.
"""

from __future__ import annotations

import asyncio
import enum
import logging
from typing import TYPE_CHECKING, Final

from channel_server.core.journal_state import Appended
from channel_server.core.unseen import Heard, Unseen
from channel_server.live.appends import Appends
from publisher.contract.journal import MARK

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.journal_state import Bounds
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
        deliver_large: The same, for one that is too large to be kept.
        bounds: Of the journal; as many bytes may wait to be seen.
        metrics: Counts.
        clock: Monotonic seconds.
        changed: Called when ``trouble`` begins or ends.

    Attributes:
        trouble: Why the journal cannot be written or read; empty while it can.
        duty: What this node does.
        appends: What it appends.
        answered_at_s: When the journal has last said anything.
    """

    def __init__(
        self,
        appender: Appender,
        *,
        read: Callable[[Content], Message | None],
        deliver: Callable[[Message], int],
        deliver_large: Callable[[Message, Content], int],
        bounds: Bounds,
        metrics: Metrics,
        clock: Callable[[], float],
        changed: Callable[[], None],
    ) -> None:
        self._read = read
        self._deliver = deliver
        self._deliver_large = deliver_large
        self._metrics = metrics
        self._clock = clock
        self._changed = changed
        self._max_message_bytes = bounds.max_message_bytes
        self._has_passed_over = False
        self._unseen = Unseen(bounds.max_bytes, self._gave_up)
        self.appends = Appends(appender, bounds, self._answered)
        self._has_given_up = False
        self._overrun_at_s: float | None = None
        self._kept_at_s = float("-inf")
        self.trouble = ""
        self.duty = Duty.WATCHING
        self.answered_at_s = clock()

    # ── what is heard, what is seen ─────────────────────────────────────────────────────────

    def heard(self, channel: str, payload: bytes) -> int:
        """Take a message from the subscription. Never raises.

        Returns:
            Bytes of work: written to clients, in trouble, or to be appended.
        """
        if payload.endswith(MARK):
            # It is in the journal, and read when it is seen there.
            content = (channel, payload[: -len(MARK)])
            heard = self._unseen.hear(content, self._clock(), None, is_kept=True)
            self._kept_at_s = self._kept_at_s if heard is None else heard.at_s
            return 0
        content = (channel, payload)
        message = self._read(content)
        if message is None:
            return 0
        if len(payload) > self._max_message_bytes:
            return self._pass_over(message, content)
        heard = self._unseen.hear(content, self._clock(), message, is_kept=False)
        return 0 if heard is None else self._heard_plainly(heard)

    def _pass_over(self, message: Message, content: Content) -> int:
        """Deliver a message that is too large to be kept, after all that was heard before it.

        Every node does so for its own clients; the one that records admits the gap.
        """
        written_bytes = sum(self._hand_out(heard) for heard in self._unseen.waiting())
        written_bytes += self._deliver_large(message, content)
        self._has_passed_over = True
        if self.duty is Duty.RECORDING:
            self._admit_passed_over()
        return written_bytes

    def _admit_passed_over(self) -> None:
        self._has_passed_over = False
        self.appends.must_admit_gap = True
        self.appends.add()

    def gap_seen(self) -> None:
        """The journal admits that something is missing before this place."""
        self._has_passed_over = False

    def _heard_plainly(self, heard: Heard) -> int:
        if self.trouble:
            # Not before what its publisher has appended, and clients get from there.
            is_first = heard.at_s - self._kept_at_s > _PATIENCE_S
            return self._deliver_now(heard) if is_first else self.deliver_waiting()
        if self.duty is not Duty.RECORDING:
            return 0
        self.appends.add(heard)
        # So that others get a turn: to read, among others.
        return len(heard.content[1])

    def seen(self, content: Content, is_old: bool) -> Heard | None:  # noqa: FBT001 - a callback
        """Note an entry of the journal. Return it as it was heard; None if it was not, yet.

        Args:
            content: What it says.
            is_old: It was published so long ago that it will not be heard any more: the same
                words, heard later, are another message.
        """
        is_unheard = is_old or self.is_behind
        heard = self._unseen.see(content, float("-inf") if is_unheard else self._clock())
        if self.trouble and heard is not None and heard.is_kept:
            asyncio.get_running_loop().call_soon(self.deliver_waiting)
        return heard

    def proven(self, sent_at_s: float) -> None:
        """What was published before this moment has been heard by now."""
        self._unseen.forget_announced(sent_at_s)
        if self._overrun_at_s is not None and sent_at_s >= self._overrun_at_s:
            self._forget_hole(self._overrun_at_s)
            self._overrun_at_s = None

    def overrun(self) -> None:
        """Entries of the journal were gone before this node has read them.

        What it has heard and will not see may lie in that hole, and so may what it has yet to
        hear, up to the next proof. To append it now would put old words, and old orders, behind
        newer ones.
        """
        self._overrun_at_s = self._clock()
        self._forget_hole(self._overrun_at_s)

    def _forget_hole(self, overrun_at_s: float) -> None:
        is_recording = self.duty is Duty.RECORDING
        queued = self.appends.forget_ahead()
        for heard in self._unseen.waiting():
            # What this node has appended since is behind the hole.
            is_new = is_recording and not heard.is_kept and heard.at_s > overrun_at_s
            if not is_new and heard not in queued:
                self._unseen.forget(heard)
                self.appends.must_admit_gap |= not heard.is_kept

    @property
    def is_behind(self) -> bool:
        """Whether it may still hear what lies in a hole of the journal."""
        return self._overrun_at_s is not None

    def _gave_up(self, heard: Heard) -> None:
        # While this node records, what is not in the queue is in the journal.
        if self.appends.remove(heard) or self.duty is not Duty.RECORDING:
            self._has_given_up = True

    @property
    def oldest(self) -> Heard | None:
        """The message that clients have been waiting for longest."""
        return self._unseen.oldest

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
        self.appends.stop()

    def record(self) -> None:
        """The lease is ours, and the journal has been read to its end: append what is left."""
        self.duty = Duty.RECORDING
        self.appends.start(heard for heard in self._unseen.waiting() if not heard.is_kept)
        if self._has_passed_over:  # and who recorded has died before it could say so
            self._admit_passed_over()

    def look_after(self, read_at_s: float) -> None:
        """Append what claims to be in the journal and is not; forget what is of no use any more.

        Args:
            read_at_s: This node has read all that was in the journal at this moment.
        """
        self._unseen.forget_delivered(read_at_s - _FORGET_S)
        if self._has_given_up:
            self._has_given_up = False
            self.appends.must_admit_gap = True
        if self.duty is not Duty.RECORDING or self.is_behind:
            return
        for heard in self._unseen.waiting():
            if not self.is_overdue(heard, read_at_s):
                break
            if heard.is_kept:
                heard.is_kept = False
                self.appends.add(heard)
        self.appends.add()

    def _answered(self, outcome: Appended, code: str) -> None:
        self.answered_at_s = self._clock()
        if outcome is Appended.NOT_OURS:
            self.watch()
        elif outcome is Appended.REFUSED:
            self.degrade(code)

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
            self.appends.must_admit_gap = True
        self.watch()
        self.deliver_waiting()

    def deliver_waiting(self) -> int:
        """Give clients what they have been waiting for, in order, in trouble.

        What its publisher has appended gets a second more: it is in the journal, where those who
        come in this moment will find it. What was heard after it waits for it.

        Returns:
            Bytes written to clients.
        """
        written_bytes, overdue_s = 0, self._clock() - _PATIENCE_S
        for heard in self._unseen.waiting() if self.trouble else ():
            if heard.is_kept and heard.at_s >= overdue_s:
                break
            written_bytes += self._deliver_now(heard)
        return written_bytes

    def heal(self) -> None:
        """The journal works again."""
        if self.trouble:
            log.info("journal works again")
            self.trouble = ""
            self._changed()

    def _deliver_now(self, heard: Heard) -> int:
        self.appends.must_admit_gap = True
        return self._hand_out(heard)

    def _hand_out(self, heard: Heard) -> int:
        """Give clients a message before it was seen in the journal."""
        heard.is_delivered = True
        message = heard.message or self._read(heard.content)
        return 0 if message is None else self._deliver(message)
