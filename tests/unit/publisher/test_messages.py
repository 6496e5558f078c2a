"""Which room a message names, and what is refused. Bytes: tests/contract/test_publisher.py."""

import re
import uuid
from collections import OrderedDict
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.messages import notice_command, records_commands
from publisher.rooms import rooms_of

RECORDS = {"events": [{"id": 1}]}
IDS = st.integers(-(2**63), 2**63) | st.text("abz019_-.:", min_size=1, max_size=64)


def records_command(records, group_id, user_id, **where):
    (command,) = records_commands(records, rooms_of(group_id=group_id, user_id=user_id, **where))
    return command


def published(command):
    name, channel, body = command.words
    assert name == "PUBLISH"
    return channel, orjson.loads(body)


@given(IDS, st.none() | IDS)
def test_group_wins_over_user(group_id, user_id):
    """As in Rails: with both ids the user's room gets nothing."""
    command = records_command(RECORDS, group_id, user_id)

    assert published(command) == ("/records", {"room": f"group-{group_id}", "records": RECORDS})


@given(IDS)
def test_user_room_without_a_group(user_id):
    command = records_command(RECORDS, None, user_id)

    assert published(command) == ("/records", {"room": f"user-{user_id}", "records": RECORDS})


def test_without_an_id_the_room_is_null_and_the_message_is_still_published():
    """Rails publishes direct polls that way; the server passes them to nobody."""
    assert published(records_command(RECORDS, None, None, to_nobody=True)) == (
        "/records",
        {"room": None, "records": RECORDS},
    )


@pytest.mark.parametrize("blank", [None, {}, MappingProxyType({})])
def test_blank_records_publish_nothing(blank):
    assert records_commands(blank, rooms_of(group_id=7)) == []


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_any_mapping_may_hold_the_records(kind):
    command = records_command(kind(RECORDS), 7, None)

    assert published(command)[1]["records"] == RECORDS


@pytest.mark.parametrize("records", [[], [{"id": 1}], "events", b"{}", 0, False, object()])
def test_records_that_are_no_mapping_are_refused(records):
    with pytest.raises(InvalidMessage, match="records must be a mapping"):
        records_command(records, 7, None)


@pytest.mark.parametrize(
    "wrong", [True, "", "a b", 7.0, b"7", [7], pytest.param(object(), id="object")], ids=repr
)
@pytest.mark.parametrize("records", [RECORDS, None], ids=["records", "blank"])
def test_wrong_ids_are_refused_wherever_they_stand(wrong, records):
    """Also the user's id that a group's id makes idle, and also if there is nothing to publish."""
    with pytest.raises(InvalidMessage, match="group_id"):
        records_command(records, wrong, None)
    with pytest.raises(InvalidMessage, match="user_id"):
        records_command(records, None, wrong)
    with pytest.raises(InvalidMessage, match="user_id"):
        records_command(records, 7, wrong)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({}, "is missing: it would reach nobody; is to_nobody=True meant"),
        ({"group_id": None, "user_id": None}, "is missing"),
        ({"group_id": 1, "to_nobody": True}, "cannot be named beside"),
        ({"group_id": 1, "user_ids": [2]}, "cannot be named beside"),
        ({"group_ids": [1], "to_nobody": True}, "to_nobody cannot be named beside"),
        ({"group_ids": 1}, "group_ids must be an iterable of ids, not int"),
        ({"user_ids": "12"}, "user_ids must be an iterable of ids, not str"),
        ({"user_ids": [1, 2.5]}, "user_ids must be an int, a str or a UUID, not float"),
        ({"group_id": [1, 2]}, "takes several"),
        ({"to_nobody": 1}, "to_nobody must be a bool"),
    ],
    ids=repr,
)
def test_rooms_that_are_not_meant_are_refused(where, words):
    """Found by a user: without an id the answer was 1, and nobody had it."""
    with pytest.raises(InvalidMessage, match=re.escape(words)):
        rooms_of(**where)


def test_several_rooms_get_a_message_each_and_none_twice():
    rooms = rooms_of(group_ids=(1, "1x", 1), user_ids=iter([7, uuid.UUID(int=7), 7]))

    commands = records_commands(RECORDS, rooms)

    names = [orjson.loads(command.words[2])["room"] for command in commands]
    assert names == ["group-1", "group-1x", "user-7", f"user-{uuid.UUID(int=7)}"]
    assert records_commands(RECORDS, rooms_of(group_ids=[])) == []
    assert len(rooms_of(group_ids=[7, "7"], user_ids=["7", 7, 8])) == 3


@given(st.none() | st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_notice_always_has_three_keys(notice, reload):
    command = notice_command(notice, None, reload=reload)

    expected = {"version": None, "notice": notice, "reload": reload}
    assert published(command) == ("/system_notice", expected)


def test_notice_of_another_type_is_refused():
    with pytest.raises(InvalidMessage, match="notice must be a str or None, not int"):
        notice_command(1, None, reload=False)


def test_version_of_another_type_is_refused():
    with pytest.raises(InvalidMessage, match="version must be a str or None, not tuple"):
        notice_command("text", (3, 0), reload=False)


def test_reload_of_another_type_is_refused():
    """A browser would take the text "false" for true."""
    with pytest.raises(InvalidMessage, match="reload must be a bool, not str"):
        notice_command("text", None, reload="false")


def test_notice_that_utf8_cannot_write_is_escaped():
    command = notice_command("\ud800", None, reload=False)

    assert rb'"\ud800"' in command.words[-1]
