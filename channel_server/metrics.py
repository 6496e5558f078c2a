"""What has happened since the start, as plain counts; ``operating`` gives them their public names."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FAST: Final = (2e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.5)
"""Bounds, in seconds, for what the processor does by itself."""

REMOTE: Final = (1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds, in seconds, for what waits for somebody else."""


class Histogram:
    """Durations, counted by size.

    Args:
        bounds: Upper bounds in seconds, ascending; above the last one there is one more bucket.

    Attributes:
        bounds: The same.
        counts: How many fell into each bucket, not cumulated; one longer than ``bounds``.
        total_s: Sum of all of them.
    """

    __slots__ = ("bounds", "counts", "total_s")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total_s = 0.0

    def observe(self, duration_s: float) -> None:
        """Count one. What is below zero, because two clocks disagree, counts as zero."""
        duration_s = max(duration_s, 0.0)
        self.counts[bisect_left(self.bounds, duration_s)] += 1
        self.total_s += duration_s

    @property
    def count(self) -> int:
        """How many there were."""
        return sum(self.counts)


class Family(NamedTuple):
    """One metric as operators see it, read whenever they ask.

    Attributes:
        name: Without ``channel_server_``; the unit at its end, or ``_total`` for what only grows.
        kind: ``counter``, ``gauge`` or ``histogram``.
        text: What it says, one sentence.
        read: Returns a number; a ``Histogram``; or numbers by the values of ``labels``, as
            tuples, or as plain text if there is one label.
        labels: Names of labels.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    read: Callable[[], float | Histogram | Mapping[Any, float]]
    labels: tuple[str, ...] = ()


def _fast() -> Histogram:
    return Histogram(FAST)


def _remote() -> Histogram:
    return Histogram(REMOTE)


@dataclass(slots=True)
class Metrics:
    """Counts since the start of the process.

    Attributes:
        messages: Messages from Redis that were delivered to a room, members or not, by event.
        malformed: Messages that were refused.
        too_large: Messages that were delivered and not kept, because they were larger than
            ``MAX_MESSAGE_MIB`` or a quarter of the journal.
        unaddressed: Messages without a room: delivered to nobody.
        deliveries: Packets written to clients.
        delivered_bytes: What these had on the wire.
        fanout: From the first to the last write of one message.
        intake_lag: From a message's place in the journal to its last write, by the clock of
            Redis, which is known to within one way to it.
        connects: Clients connected to the main namespace.
        anonymous: Those of them without a user.
        lookups: Look-ups of tokens, by what they found: ``user``, ``unknown``, ``failed``.
        lookup_times: How long they took.
        expired_tokens: Returning clients whose token Redis does not know any more.
        recovered: Returning clients that were given everything they missed.
        not_recovered: Those of which that is not certain, by reason.
        bad_claims: CONNECTs whose ``pid`` or ``offset`` cannot be right.
        replayed: Entries of the journal written to returning clients.
        gaps: Gaps of the journal that were read.
        degradations: How often the journal could not be written or read.
        overruns: How often entries of the journal were gone before this node has read them.
        junk_entries: Entries of the journal that this version does not understand.
        orders: Orders of the application that were carried out.
        loop_lag: How late the event loop was for what it had promised to do.
        bots_sent: Messages of bots that a homeserver has.
        bots_refused: Those that a homeserver does not take, or that were not sent to it because
            its address is private.
        bots_retries: Attempts after which another one follows.
        bots_expired: Messages that were too old to be sent.
        bots_overflowed: Messages that were dropped because too many waited.
        bots_malformed: Messages that were refused.
        bots_ignored: Messages on other channels than those we know.
        bots_waiting: Messages that wait to be sent by whichever node.
        collab_sockets: Clients of documents that are connected now.
        collab_documents: Documents that are open now.
        collab_updates: Changes of documents.
        collab_stores: How often a document was stored.
        collab_store_failures: How often that, or loading one, has failed.
        collab_denied: How often a client was denied a document.
    """

    messages: Counter[str] = field(default_factory=Counter)
    malformed: int = 0
    too_large: int = 0
    unaddressed: int = 0
    deliveries: int = 0
    delivered_bytes: int = 0
    fanout: Histogram = field(default_factory=_fast, compare=False)
    intake_lag: Histogram = field(default_factory=_remote, compare=False)
    connects: int = 0
    anonymous: int = 0
    lookups: Counter[str] = field(default_factory=Counter)
    lookup_times: Histogram = field(default_factory=_remote, compare=False)
    expired_tokens: int = 0
    recovered: int = 0
    not_recovered: Counter[str] = field(default_factory=Counter)
    bad_claims: int = 0
    replayed: int = 0
    gaps: int = 0
    degradations: int = 0
    overruns: int = 0
    junk_entries: int = 0
    orders: int = 0
    loop_lag: Histogram = field(default_factory=_remote, compare=False)
    bots_sent: int = 0
    bots_refused: int = 0
    bots_retries: int = 0
    bots_expired: int = 0
    bots_overflowed: int = 0
    bots_malformed: int = 0
    bots_ignored: int = 0
    bots_waiting: int = 0
    collab_sockets: int = 0
    collab_documents: int = 0
    collab_updates: int = 0
    collab_stores: int = 0
    collab_store_failures: int = 0
    collab_denied: int = 0
