"""Heard and seen against a model: two counters, and the order in which things were heard."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from channel_server.core.unseen import Unseen

contents = st.sampled_from([("/records", b"a"), ("/records", b"b"), ("/system_notice", b"a")])


class UnseenMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.unseen = Unseen(1 << 20, lambda _: None)
        self.heard = []
        self.announced = Counter()
        self.now = 0.0

    @rule(content=contents, is_kept=st.booleans())
    def hear(self, content, is_kept):
        self.now += 1
        heard = self.unseen.hear(content, self.now, None, is_kept=is_kept)
        if self.announced[content]:
            self.announced[content] -= 1
            assert heard is None
        else:
            assert heard.content == content
            self.heard.append(content)

    @rule(content=contents)
    def see(self, content):
        self.now += 1
        seen = self.unseen.see(content, self.now)
        if content in self.heard:
            self.heard.remove(content)
            assert seen.content == content
        else:
            self.announced[content] += 1
            assert seen is None

    @invariant()
    def what_waits_is_what_the_model_says_in_its_order(self):
        assert [heard.content for heard in self.unseen.waiting()] == self.heard

    @invariant()
    def nothing_is_both_waited_for_and_announced(self):
        announced = {content for content, count in self.announced.items() if count}
        assert announced.isdisjoint(self.heard)
        assert set(self.unseen._announced) == announced

    @invariant()
    def bytes_are_those_of_what_is_there(self):
        assert self.unseen._bytes == len(self.heard)
        assert self.unseen._announced_bytes == self.announced.total()


TestUnseen = UnseenMachine.TestCase
