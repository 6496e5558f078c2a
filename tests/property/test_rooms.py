"""Rooms against the simplest model there is: a set of pairs."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from channel_server.core.names import Room
from channel_server.core.rooms import Rooms

members = st.integers(0, 4)
names = st.lists(st.sampled_from([Room("a"), Room("b"), Room("c"), Room("d")]), max_size=5)


class RoomsMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.rooms = Rooms()
        self.pairs = set()

    @rule(member=members, rooms=names)
    def join(self, member, rooms):
        self.rooms.join(member, iter(rooms))
        self.pairs |= {(member, room) for room in rooms}

    @rule(member=members, rooms=names)
    def leave(self, member, rooms):
        self.rooms.leave(member, iter(rooms))
        self.pairs -= {(member, room) for room in rooms}

    @rule(member=members)
    def drop(self, member):
        self.rooms.drop(member)
        self.pairs = {pair for pair in self.pairs if pair[0] != member}

    @invariant()
    def both_indexes_agree_with_the_model(self):
        assert {(m, r) for r in self.rooms._members for m in self.rooms.members(r)} == self.pairs
        assert {(m, r) for m in self.rooms._rooms for r in self.rooms.rooms(m)} == self.pairs

    @invariant()
    def no_room_is_listed_twice(self):
        assert sum(map(len, self.rooms._rooms.values())) == len(self.pairs)

    @invariant()
    def nothing_empty_is_kept(self):
        assert all(self.rooms._members.values())
        assert all(self.rooms._rooms.values())

    @invariant()
    def rooms_with_members_are_counted(self):
        assert len(self.rooms) == len({room for _, room in self.pairs})


TestRooms = RoomsMachine.TestCase
TestRooms.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
