"""Byte for byte what goes to Redis. The texts are those of the wire contract."""

from publisher.control import hang_up_user, set_groups
from publisher.messages import notice_command, records_commands
from publisher.rooms import rooms_of
from publisher.tokens import store_command

NEW_COMMENT = {
    "events": [
        {
            "id": 91,
            "kind": "new_comment",
            "eventable_id": 456,
            "eventable_type": "Comment",
            "created_at": "2026-01-15T10:30:00.000Z",
        }
    ],
    "comments": [{"id": 456, "body": "<p>hi</p>", "body_format": "html"}],
    "groups": [{"id": 7, "key": "gKEY1234", "parent_id": None}],
    "users": [{"id": 3, "name": "Änn"}],
    "parent_events": [],
}


def only(records, **where):
    (command,) = records_commands(records, rooms_of(**where))
    return command


def test_records_for_a_group():
    command = only(NEW_COMMENT, group_id=7)

    assert command.words == (
        "PUBLISH",
        "/records",
        (
            b'{"room":"group-7","records":{"events":[{"id":91,"kind":"new_comment",'
            b'"eventable_id":456,"eventable_type":"Comment",'
            b'"created_at":"2026-01-15T10:30:00.000Z"}],'
            b'"comments":[{"id":456,"body":"<p>hi</p>","body_format":"html"}],'
            b'"groups":[{"id":7,"key":"gKEY1234","parent_id":null}],'
            b'"users":[{"id":3,"name":"\xc3\x84nn"}],"parent_events":[]}}'
        ),
    )


def test_records_for_a_user():
    command = only({"notifications": [{"id": 1, "viewed": False}]}, user_id=45)

    assert command.words == (
        "PUBLISH",
        "/records",
        b'{"room":"user-45","records":{"notifications":[{"id":1,"viewed":false}]}}',
    )


def test_records_for_nobody():
    command = only({"polls": []}, to_nobody=True)

    assert command.words == ("PUBLISH", "/records", b'{"room":null,"records":{"polls":[]}}')


def test_notice():
    command = notice_command("Back at 5", "3.0.12", reload=True)

    assert command.words == (
        "PUBLISH",
        "/system_notice",
        b'{"version":"3.0.12","notice":"Back at 5","reload":true}',
    )


def test_cleared_notice():
    command = notice_command(None, None, reload=False)

    assert command.words == (
        "PUBLISH",
        "/system_notice",
        b'{"version":null,"notice":null,"reload":false}',
    )


def test_stored_user():
    command = store_command("abc", {"id": 123, "name": "Ann"}, [1, 2], 1800)

    assert command.words == (
        "SET",
        "/current_users/abc",
        b'{"name":"Ann","group_ids":[1,2],"id":123}',
        "EX",
        1800,
    )


def test_texts_as_ids():
    """A number is written as a number, a text as a text; rooms know no difference."""
    stored = store_command("abc", {"id": "3f2a-7", "name": "Ann"}, ["a:1", 2, "2"], None)

    assert stored.words[2] == b'{"name":"Ann","group_ids":["a:1",2,"2"],"id":"3f2a-7"}'
    assert hang_up_user("7").words[2] == b'{"action":"hang_up","user_id":"7"}'
    assert hang_up_user(-7).words[2] == b'{"action":"hang_up","user_id":-7}'
    assert set_groups("7", ["x", 0]).words[2] == (
        b'{"action":"set_groups","user_id":"7","group_ids":["x",0]}'
    )
    same = {only({"a": []}, group_id=group_id).words for group_id in (7, "7")}
    assert same == {("PUBLISH", "/records", b'{"room":"group-7","records":{"a":[]}}')}


def test_persistent_user():
    """As Rails writes it: a plain SET."""
    command = store_command("abc", {"id": 123, "name": "Ann"}, [], None)

    assert command.words == (
        "SET",
        "/current_users/abc",
        b'{"name":"Ann","group_ids":[],"id":123}',
    )
