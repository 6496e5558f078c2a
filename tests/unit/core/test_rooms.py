"""Rooms by example; the invariants are checked in tests/property/test_rooms.py."""

import pytest

from channel_server.core.names import Room
from channel_server.core.rooms import Rooms

A, B, C = Room("a"), Room("b"), Room("c")


@pytest.fixture
def rooms():
    return Rooms()


def test_member_is_found_in_every_room_it_joined(rooms):
    rooms.join("ann", (A, B))

    assert set(rooms.members(A)) == {"ann"}
    assert set(rooms.members(B)) == {"ann"}
    assert not rooms.members(C)


def test_rooms_of_a_member_keep_the_order_of_joining(rooms):
    rooms.join("ann", (B, A))
    rooms.join("ann", (C,))

    assert rooms.rooms("ann") == (B, A, C)


def test_joining_twice_is_joining_once(rooms):
    rooms.join("ann", (A, A))
    rooms.join("ann", (A,))

    rooms.leave("ann", (A,))

    assert not rooms.members(A)
    assert rooms.rooms("ann") == ()


def test_rooms_can_be_given_as_an_iterator(rooms):
    """They are walked more than once inside."""
    rooms.join("ann", iter((A, B)))
    rooms.leave("ann", iter((A,)))

    assert rooms.rooms("ann") == (B,)
    assert not rooms.members(A)


def test_leaving_a_room_without_being_in_it_changes_nothing(rooms):
    rooms.join("ann", (A,))
    rooms.join("ben", (B,))

    rooms.leave("ann", (B,))
    rooms.leave("nobody", (A,))

    assert rooms.rooms("ann") == (A,)
    assert set(rooms.members(B)) == {"ben"}


def test_dropped_member_is_gone_and_the_others_stay(rooms):
    rooms.join("ann", (A, B))
    rooms.join("ben", (B,))

    rooms.drop("ann")

    assert not rooms.members(A)
    assert set(rooms.members(B)) == {"ben"}
    assert len(rooms) == 1


def test_dropping_a_stranger_is_ignored(rooms):
    """A client that closes before it has joined is dropped all the same."""
    rooms.drop("nobody")

    assert len(rooms) == 0


def test_rooms_without_members_are_not_counted(rooms):
    rooms.join("ann", (A, B))

    rooms.leave("ann", (B,))

    assert len(rooms) == 1
