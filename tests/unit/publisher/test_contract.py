"""Names are contract: Loomio and the browsers know them literally."""

from publisher import contract


def test_names_are_those_of_the_wire_contract():
    assert contract.RECORDS == "/records"
    assert contract.SYSTEM_NOTICE == "/system_notice"
    assert contract.CURRENT_USERS == "/current_users/"
    assert contract.NOTICE_ROOM == "notice"


def test_rooms_are_named_after_their_kind_and_id():
    assert contract.user_room(45) == "user-45"
    assert contract.group_room(123) == "group-123"
