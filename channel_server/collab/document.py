"""One open document: what it holds, who is at it, and what everybody is told."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from channel_server.collab import messages
from channel_server.collab.awareness import Awareness
from channel_server.collab.merging import check, compact, glance, merge, missing, state
from channel_server.collab.messages import EMPTY_UPDATE, Sync
from channel_server.collab.skim import Look, is_broken_state, look_at_update
from channel_server.collab.updates import Updates
from channel_server.core.frames import binary_frame
from channel_server.errors import BrokenUpdate, TooCostly

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.collab.merging import Steps
    from channel_server.collab.seat import Seat

_CERTAIN_NEWS_BYTES: Final = 512
"""An update of a few keystrokes is not compared with what is known: it never comes twice."""


_COMPACT_AGAIN_AFTER_S: Final = 10.0


class Verdict(enum.Enum):
    """What became of an update."""

    NEWS = enum.auto()
    KNOWN = enum.auto()
    BROKEN = enum.auto()
    TOO_LARGE = enum.auto()


class Answer(NamedTuple):
    """What a client is told that says how far it is.

    Attributes:
        state: How far we are.
        missing: What it lacks.
    """

    state: bytes
    missing: bytes


class Watcher(Protocol):
    """Who is told what happens to documents."""

    def changed(self, document: Document, update: bytes, *, is_ours: bool) -> None:
        """The content has changed; ours: through a client of this node."""
        ...

    def applied(self, document: Document, seat: Seat) -> None:
        """A client waits for the word that its update is accepted."""
        ...

    def moved(self, document: Document, awareness: bytes) -> None:
        """A client of this node says who or where it is."""
        ...


class Document:
    """Content, clients, and their awareness.

    Args:
        name: Its name, which may hold secrets: never log it.
        stored: What the store had; None for a new one.
        max_bytes: How large it may become.
        watcher: Is told of changes.
        clock: Monotonic seconds.

    Attributes:
        updates: The content.
        awareness: Who is there, and where.
        seats: The clients of this node.
        is_expecting: It was opened for a client that has not entered yet.
        changes: How often the content has changed.
        stored_changes: How many of the changes the store has.
        version: Of what the store has.
    """

    __slots__ = (
        "_clock",
        "_compact_again_at_s",
        "_max_bytes",
        "_watcher",
        "awareness",
        "changes",
        "is_expecting",
        "name",
        "seats",
        "stored_changes",
        "updates",
        "version",
    )

    def __init__(
        self,
        name: str,
        stored: bytes | None,
        *,
        max_bytes: int,
        watcher: Watcher,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.updates = Updates(stored)
        self.awareness: Awareness[Seat] = Awareness(clock)
        self.seats: dict[Seat, None] = {}
        self.is_expecting = True
        self.changes = 0
        self.stored_changes = 0
        self.version = b""
        self._clock = clock
        self._compact_again_at_s = 0.0
        self._max_bytes = max_bytes
        self._watcher = watcher

    @property
    def is_dirty(self) -> bool:
        """Whether the store lacks something."""
        return self.changes > self.stored_changes

    @property
    def is_needed(self) -> bool:
        """Whether somebody is here, or about to be."""
        return bool(self.seats) or self.is_expecting

    # ── content ─────────────────────────────────────────────────────────────────────────────

    def answer(self, known: bytes) -> Steps[Answer]:
        """Return what a client is told that has said how far it is.

        Raises:
            BrokenUpdate: If it has not.
        """
        if is_broken_state(known):
            raise BrokenUpdate("not a state vector")
        snapshot = yield from self.updates.snapshot()
        lacks = yield missing(snapshot, known)
        return Answer((yield state(snapshot)), lacks)

    def apply(
        self, update: bytes, *, is_ours: bool = True, is_whole: bool = False
    ) -> Steps[Verdict]:
        """Take an update, and hand it on to everybody if it is news.

        Args:
            update: As it came.
            is_ours: From a client of this node.
            is_whole: It is all that somebody has, so it may well be known.
        """
        if update == EMPTY_UPDATE:
            return Verdict.KNOWN
        if not (yield from _can_be_decoded(update)):
            return Verdict.BROKEN
        may_be_known = is_whole or len(update) > _CERTAIN_NEWS_BYTES
        if may_be_known and (yield from self.updates.holds(update)):
            return Verdict.KNOWN
        # What other nodes have taken already is not the place to be strict.
        has_room = yield from self._makes_room(update, is_ours=is_ours)
        if is_ours and not has_room:
            return Verdict.TOO_LARGE
        self.updates.add(update)
        self.changes += 1
        self.broadcast(messages.sync(Sync.UPDATE, update))
        self._watcher.changed(self, update, is_ours=is_ours)
        return Verdict.NEWS

    def _makes_room(self, update: bytes, *, is_ours: bool) -> Steps[bool]:
        """Return whether the document stays small enough, with an update or without its history.

        Much of an update may be known. If it is not, what was deleted or replaced is dropped, where
        that is safe and quick (``merging``); not again for ten seconds where little room came of it.
        11 MB of values of which 1.6 live take 0.13 s.
        """
        if self.updates.size + len(update) <= self._max_bytes:
            return True
        is_time = self._clock() >= self._compact_again_at_s
        if not (is_ours or is_time):
            return False
        snapshot = yield from self.updates.snapshot()
        whole = yield merge(snapshot, update)
        if len(whole) <= self._max_bytes:
            return True
        return is_time and (yield from self._drops_history(snapshot, whole, is_ours=is_ours))

    def _drops_history(self, snapshot: bytes, whole: bytes, *, is_ours: bool) -> Steps[bool]:
        """Return whether a document with an update, as a whole, is small enough without its history."""
        self._compact_again_at_s = self._clock() + _COMPACT_AGAIN_AFTER_S
        try:
            compacted = yield compact(whole)
        except BrokenUpdate:  # or too costly
            return False
        if len(compacted) <= self._max_bytes - self._max_bytes // 16:
            self._compact_again_at_s = 0.0
        has_room = len(compacted) <= self._max_bytes
        if has_room or not is_ours:
            self.updates.shrink(snapshot, compacted)
        return has_room

    def holds(self, update: bytes) -> Steps[bool]:
        """Return whether a client that may not write has told nothing new."""
        if update == EMPTY_UPDATE:
            return True
        if not (yield from _can_be_decoded(update)):
            return False
        return (yield from self.updates.holds(update))

    # ── clients ─────────────────────────────────────────────────────────────────────────────

    def enter(self, seat: Seat) -> None:
        """A client is here from now on, and is told who else is."""
        self.seats[seat] = None
        self.is_expecting = False
        if not self.awareness.is_empty:
            present = self.awareness.update_for(self.awareness.present)
            seat.send(messages.awareness(present))

    def leave(self, seat: Seat) -> None:
        """A client is here no longer; the others are told.

        So is the client itself, as the reference does: it counts its clock up then, and whoever has
        seen it go sees it at once when it comes again, not when it renews its state.
        """
        self.miss(seat)
        del self.seats[seat]

    def miss(self, seat: Seat) -> None:
        """A client cannot be seen any more, even if what it has said is not done yet."""
        self._tell(self.awareness.remove_of(seat), is_ours=True)

    def hear(self, awareness: bytes, seat: Seat | None) -> None:
        """Take what a client tells about itself, and about others.

        Args:
            awareness: As it came.
            seat: Whose it is; None: of a client of another node.

        Raises:
            MalformedFrame: If it cannot be read.
        """
        self._tell(self.awareness.apply(awareness, seat), is_ours=seat is not None)

    def acknowledge(self, seat: Seat) -> None:
        """Tell a client that what it has said is accepted, as soon as that is so."""
        self._watcher.applied(self, seat)

    def drop_outdated(self) -> None:
        """Forget clients that have not been heard of for too long; the others are told."""
        self._tell(self.awareness.remove_outdated(), is_ours=False)

    def _tell(self, clients: list[int], *, is_ours: bool) -> None:
        if not clients:
            return
        update = self.awareness.update_for(clients)
        self.broadcast(messages.awareness(update))
        if is_ours:
            self._watcher.moved(self, update)

    def broadcast(self, body: bytes) -> None:
        """Send a message to everybody, also to the one it came from: the echo keeps it alive.

        One that hears nothing for 30 s reconnects.
        """
        frames: dict[bytes, bytes] = {}
        for seat in self.seats:
            frame = frames.get(seat.head)
            if frame is None:
                frame = frames[seat.head] = binary_frame(seat.head + body)
            seat.write(frame)


def _can_be_decoded(update: bytes) -> Steps[bool]:
    """See whether an update is one; if that may be dangerous, in the sandbox."""
    look = look_at_update(update)
    if look is Look.BROKEN:
        return False
    try:
        yield glance(update) if look is Look.HARMLESS else check(update)
    except TooCostly:
        raise
    except BrokenUpdate:
        return False
    return True
