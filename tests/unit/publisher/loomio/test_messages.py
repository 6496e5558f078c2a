"""Messages as Rails has published them, byte for byte: order, empty collections, nulls."""

import json
from pathlib import Path

import pytest

from publisher import InvalidMessage
from publisher.loomio.serializers import AuthorSerializer
from publisher.serializers import serialize_models
from publisher.serializers.registry import registry
from tests.unit.publisher.loomio.models import World, model

MESSAGES = Path(__file__).parent / "messages"


def message(name):
    return json.loads((MESSAGES / f"{name}.json").read_text())["records"]


def test_a_new_comment_to_the_group():
    records = message("new_comment")
    world = World(records)

    found = serialize_models([world.events[91]])

    assert json.dumps(found) == json.dumps(records)


def test_a_notification_to_its_recipient():
    records = message("notification")
    world = World(records)
    (record,) = records["notifications"]
    said = {name: record.pop(name) for name in ("name", "title", "poll_type", "reaction", "model")}
    notification = model(
        "Notification",
        record,
        user_id=5,
        translation_values=said,
        actor=world.users[3],
        event=world.events[92],
    )

    found = serialize_models([notification], current_user_id=5)

    assert json.dumps(found) == json.dumps(message("notification"))


def test_a_group_hears_of_users_what_is_for_all():
    """The original tells a group's members the address of who was invited by nobody."""
    user = World(message("new_comment")).users[3]

    (for_all,) = serialize_models([user], serializer=AuthorSerializer)["users"]
    (for_herself,) = serialize_models([user], current_user_id=3)["users"]

    assert "email" not in for_all
    assert for_herself["email"] == "secret"


def test_a_group_of_another_group():
    parent = World(message("new_comment")).group
    group = type(parent)(**(vars(parent) | {"id": 9, "parent_id": 7, "parent": parent}))

    records = serialize_models([group])

    assert list(records) == ["parent_groups", "memberships", "tags", "groups"]
    (record,) = records["groups"]
    assert (record["parent_id"], record["current_user_membership_id"], record["tag_ids"]) == (
        7,
        None,
        [],
    )
    assert "org_memberships_count" not in record


def test_an_event_of_something_unknown_is_refused():
    event = World(message("new_comment")).events[91]
    event.eventable = model("Tag", {"id": 1})

    with pytest.raises(InvalidMessage, match="may not be a Tag"):
        serialize_models([event])


@pytest.mark.parametrize(
    ("kind", "root"),
    [("PollOption", "polloptions"), ("MembershipRequest", "membershiprequests"), ("Tag", "tags")],
)
def test_the_collection_of_what_is_published_is_named_as_in_rails(kind, root):
    """Without an underscore, which the client does not know: pass ``root=`` for these."""

    assert registry.of(model(kind, {"id": 1})).root == root
