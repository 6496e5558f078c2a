"""Deadlines against a model: a dictionary of due times, and a clock moved by hand."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from channel_server.engine.deadlines import Deadlines

DELAY_S = 10
members = st.integers(0, 5)


class DeadlinesMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now_s = 0
        self.deadlines = Deadlines(DELAY_S, lambda: self.now_s)
        self.due = {}

    @rule(seconds=st.integers(0, 12))
    def time_passes(self, seconds):
        self.now_s += seconds

    @rule(member=members)
    def start(self, member):
        self.deadlines.start(member)
        self.due.pop(member, None)
        self.due[member] = self.now_s + DELAY_S

    @rule(member=members)
    def stop(self, member):
        self.deadlines.stop(member)
        self.due.pop(member, None)

    @rule(tolerance_s=st.integers(0, 3))
    def expire(self, tolerance_s):
        expected = [m for m, due in self.due.items() if due <= self.now_s + tolerance_s]
        assert self.deadlines.expired(tolerance_s) == expected
        for member in expected:
            del self.due[member]

    @invariant()
    def the_same_members_wait(self):
        assert len(self.deadlines) == len(self.due)
        assert all(member in self.deadlines for member in self.due)

    @invariant()
    def time_left_is_known(self):
        for member in range(6):
            due = self.due.get(member)
            left_s = None if due is None else due - self.now_s
            assert self.deadlines.left_s(member) == left_s


TestDeadlines = DeadlinesMachine.TestCase
TestDeadlines.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
