"""Which room a message names, and what is refused. Bytes: tests/contract/test_publisher.py."""

from collections import OrderedDict
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.messages import notice_command, records_command

RECORDS = {"events": [{"id": 1}]}
IDS = st.integers(-(2**63), 2**63) | st.text("abz019_-.:", min_size=1, max_size=64)


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
    assert published(records_command(RECORDS, None, None)) == (
        "/records",
        {"room": None, "records": RECORDS},
    )


@pytest.mark.parametrize("blank", [None, {}, MappingProxyType({})])
def test_blank_records_publish_nothing(blank):
    assert records_command(blank, 7, None) is None


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
