"""Room names are part of the wire contract: publishers in other languages build them too."""

from channel_server.core.names import NOTICE, GroupId, UserId, group_room, user_room


def test_rooms_are_named_as_rails_names_them():
    assert user_room(UserId(45)) == "user-45"
    assert group_room(GroupId(123)) == "group-123"


def test_the_room_of_everybody_is_called_notice():
    """The Node program joins every socket to it under this name."""
    assert NOTICE == "notice"
