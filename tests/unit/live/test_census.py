"""Who is here, by counting."""

import pytest

from channel_server.core.names import NOTICE, group_room, user_room
from channel_server.core.rooms import Rooms
from channel_server.live.census import Census
from tests.unit.engine.doubles import Clock


class Somebody:
    def __init__(self, transport):
        self.transport = transport


@pytest.fixture
def rooms():
    return Rooms()


@pytest.fixture
def sessions(rooms):
    """A user on two transports, another one, a visitor, and one who has not said who it is."""
    sessions = [Somebody(name) for name in ("websocket", "polling", "websocket", "polling")]
    ann, ann_again, ben, visitor = sessions
    rooms.join(ann, (NOTICE, user_room(1), group_room(7), group_room(77)))
    rooms.join(ann_again, (NOTICE, user_room(1), group_room(7), group_room(77)))
    rooms.join(ben, (NOTICE, user_room(2), group_room(7)))
    rooms.join(visitor, (NOTICE,))
    return [*sessions, Somebody("websocket")]


@pytest.fixture
def census(sessions, rooms):
    return Census(lambda: sessions, rooms, Clock())


def test_connections_by_transport_and_kind(census):
    assert census.connections() == {
        ("polling", "anonymous"): 1,
        ("polling", "joining"): 0,
        ("polling", "user"): 1,
        ("websocket", "anonymous"): 0,
        ("websocket", "joining"): 1,
        ("websocket", "user"): 2,
    }


def test_a_user_with_two_tabs_is_one_user(census):
    assert census.users() == 2
    assert census.clients_of(1) == 2
    assert census.clients_of(3) == 0


def test_rooms_are_found_by_a_part_of_their_name_the_largest_first(census):
    assert census.rooms("", 2) == ([("notice", 4), ("group-7", 3)], 5)
    assert census.rooms("group-7", 10) == ([("group-7", 3), ("group-77", 2)], 2)
    assert census.rooms("nothing", 10) == ([], 0)
    assert census.members("group-77") == 2
    assert census.members("group-78") == 0


def test_it_counts_once_in_a_second(sessions, rooms):
    clock, counted = Clock(), []
    census = Census(lambda: counted.append(1) or sessions, rooms, clock)

    census.connections()
    census.users()
    assert len(counted) == 1
    clock.advance(1.0)
    census.users()
    assert len(counted) == 2
