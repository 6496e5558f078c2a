"""What nodes say to each other through the journal's state and lease."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from publisher.contract.journal import MAX_MESSAGE_BYTES


class LeaseWish(enum.Enum):
    """What a node wants to do about a lease that is not its own."""

    WATCH = "watch"  # nothing: its own subscription is not proven
    TAKE = "take"  # take it if nobody has it
    FORCE = "force"  # take it from a holder that has gone deaf


class Role(enum.Enum):
    """Whose the lease is, after a tick."""

    OTHER = "other"  # somebody else's
    FREE = "free"  # nobody's
    MINE = "mine"
    TAKEN = "taken"  # ours, as of now


class Appended(enum.Enum):
    """What became of an attempt to append."""

    YES = "yes"
    NOT_OURS = "not ours"  # the lease has gone to somebody else
    REFUSED = "refused"  # Redis cannot write it


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of the past is kept.

    Attributes:
        window_s: Age, in seconds.
        max_entries: Number.
        max_bytes: Bytes of payloads.
        max_message_bytes: Of one payload; what is larger is not kept.
    """

    window_s: int
    max_entries: int
    max_bytes: int
    max_message_bytes: int = MAX_MESSAGE_BYTES

    @property
    def shared(self) -> tuple[int, int, int]:
        """Those that stand beside the stream: age, number, bytes."""
        return self.window_s, self.max_entries, self.max_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalState:
    """The journal as a tick has found it; positions as in ``core.offsets``.

    Attributes:
        epoch: Name of the current epoch.
        trimmed: Entries up to here are gone.
        last: The newest entry that was ever appended.
        role: Whose the lease is.
        covered_to: Up to when the last holder of the lease has heard and appended everything:
            microseconds since 1970, by the clock of Redis. None if nobody has said.
        now_ms: The clock of Redis, in milliseconds since 1970.
        secret: What all nodes know, and nobody else: random, as long as this state is kept.
        nodes: How many nodes have given a sign of life of late, this one included.
        bounds: As another node, or this one, wrote them last: see ``Bounds.shared``. None if
            nobody has.
    """

    epoch: str
    trimmed: int
    last: int
    role: Role
    covered_to: int | None
    now_ms: int
    secret: bytes
    nodes: int
    bounds: tuple[int, int, int] | None = None
