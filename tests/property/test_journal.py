"""The tail against the simplest model there is: the list of everything that ever happened."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from channel_server.core.journal import Tail
from channel_server.core.offsets import Offset, milliseconds_of

ROOMS = ("a", "b", "c")
MAX_ENTRIES = 6
WINDOW_MS = 1000


class TailMachine(RuleBasedStateMachine):
    """Happenings are (epoch number, position, room or None for a gap)."""

    @initialize()
    def start(self):
        self.tail = Tail(window_s=WINDOW_MS / 1000, max_entries=MAX_ENTRIES, max_bytes=1 << 30)
        self.epochs = 0
        self.now = 1
        self.happened = []
        self.offsets = []
        self.begin()

    @rule()
    def begin(self):
        self.epochs += 1
        self.tail.begin(f"e{self.epochs}", 0)
        self.happened.append((self.epochs, 0, None))
        self.offsets.append((self.epochs, Offset(f"e{self.epochs}", 0)))

    @rule(room=st.sampled_from(ROOMS), passed=st.sampled_from([0, 1, 300, 900]))
    def append(self, room, passed):
        position = self._next(passed)
        self.tail.append(position, room, b"%d:%d" % (self.epochs, position))
        self.happened.append((self.epochs, position, room))
        self.offsets.append((self.epochs, Offset(f"e{self.epochs}", position)))

    @rule()
    def gap(self):
        position = self._next(0)
        self.tail.gap(position)
        self.happened.append((self.epochs, position, None))
        self.offsets.append((self.epochs, Offset(f"e{self.epochs}", position)))

    @rule(passed=st.sampled_from([10, 500, 2000]))
    def trim(self, passed):
        self.now += passed
        self.tail.trim(self.now)
        mask = (1 << 128) - 1
        assert all(
            milliseconds_of(entry.key & mask) >= self.now - WINDOW_MS
            for entry in self.tail._entries
        )

    def _next(self, passed):
        self.now += passed
        number = max((position for _, position, _ in self.happened), default=0) + 1
        return max(self.now << 64, number)

    def _missed(self, rooms, offset):
        """Fetched two at a time, as for a client that reads slowly."""
        found, start = [], self.tail.start_of(offset)
        while more := self.tail.missed(rooms, start, 2):
            found += more
            start = more[-1].key
        return found

    def _after(self, epoch, offset):
        return [each for each in self.happened if (each[0], each[1]) > (epoch, offset.position)]

    @invariant()
    @precondition(lambda self: hasattr(self, "tail"))
    def what_is_missed_is_what_is_kept_of_what_happened(self):
        kept = {entry.frame for entry in self.tail._entries}
        for epoch, offset in self.offsets[-10:]:
            missed = self._missed(("a", "b"), offset)
            after = [
                b"%d:%d" % (at, position)
                for at, position, room in self._after(epoch, offset)
                if room in {"a", "b"}
            ]
            assert [entry.frame for entry in missed] == [frame for frame in after if frame in kept]

    @invariant()
    @precondition(lambda self: hasattr(self, "tail"))
    def covered_means_that_nothing_is_missing(self):
        for epoch, offset in self.offsets:
            if not self.tail.covers(offset):
                continue
            assert epoch == self.epochs
            after = self._after(epoch, offset)
            assert all(room is not None for _, _, room in after)
            missed = self._missed(ROOMS, offset)
            assert len(missed) == len(after)

    @invariant()
    @precondition(lambda self: hasattr(self, "tail"))
    def the_newest_offset_is_always_covered(self):
        assert self.tail.covers(self.tail.offset)

    @invariant()
    @precondition(lambda self: hasattr(self, "tail"))
    def bounds_hold_and_the_index_agrees(self):
        entries = list(self.tail._entries)
        assert len(entries) <= MAX_ENTRIES
        assert [entry.key for entry in entries] == sorted(entry.key for entry in entries)
        lanes = self.tail._rooms.values()
        indexed = [entry for lane in lanes for entry in lane.entries[lane.head :]]
        assert sorted(map(id, indexed)) == sorted(map(id, entries))
        assert all(len(lane.entries) > lane.head >= 0 for lane in lanes)
        assert all(2 * lane.head <= len(lane.entries) for lane in lanes)
        assert all(gone is None for lane in lanes for gone in lane.entries[: lane.head])


TestTail = TailMachine.TestCase
TestTail.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
