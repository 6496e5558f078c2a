"""What depends on who reads: nobody is told what is another's."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from publisher.loomio import serializers, task_done
from publisher.serializers import Loaders, serialize_models
from publisher.serializers.scope import Scope
from publisher.testing import RecordingPublisher
from tests.unit.publisher.loomio.models import World, model

MESSAGE = Path(__file__).parent / "messages" / "new_comment.json"


@pytest.fixture
def world():
    return World(json.loads(MESSAGE.read_text())["records"])


def blank(kind, **attributes):
    """A model of which nothing else is known."""
    names = getattr(serializers, f"{kind}Serializer").attributes
    return model(kind, dict.fromkeys(names, None) | attributes)


def reader(user_id, **more):
    plain = {"last_read_at": None, "dismissed_at": None, "read_ranges": [[1, 4]]}
    rights = {"revoked_at": None, "inviter_id": None, "guest": False, "admin": True}
    return {"id": 77, "user_id": user_id, "volume": "mute", **plain, **rights, **more}


def discussion_of(records):
    (record,) = records["discussions"]
    return record


def test_a_reader_is_only_told_to_that_reader(world):
    discussion = world.discussion
    discussion.reader = reader(5)
    discussion.guests = [model("User", {"id": 5}), model("User", {"id": 2})]
    publisher = RecordingPublisher()

    task_done(publisher, discussion)

    (own,), (other,) = publisher.records("user-5"), publisher.records("user-2")
    own, other = discussion_of(own), discussion_of(other)
    assert (own["discussion_reader_id"], own["discussion_reader_volume"]) == (77, "mute")
    assert (other["discussion_reader_id"], other["discussion_reader_volume"]) == (None, "normal")
    assert (other["discussion_reader_user_id"], other["admin"]) == (2, False)
    assert other["read_ranges"] == []
    (for_all,) = publisher.records("group-7")
    assert "discussion_reader_id" not in discussion_of(for_all)


def test_readers_are_loaded_for_the_reader(world):
    asked = []

    def load(discussions, user_id):
        asked.append((len(discussions), user_id))
        return {each.id: reader(user_id, volume="quiet") for each in discussions}

    loaders = Loaders()
    loaders.add("Discussion", "reader", load)
    records = serialize_models([world.events[91]], current_user_id=3, loaders=loaders)

    assert discussion_of(records)["discussion_reader_volume"] == "quiet"
    assert asked == [(1, 3)]


def test_who_was_not_in_a_thread_is_as_loud_there_as_in_the_group(world):
    world.group.current_user_membership = blank("Membership", id=4, user_id=3, volume="loud")
    world.group.current_user_membership.group = world.group
    world.group.current_user_membership.user = blank("User", id=3, avatar_kind="x")

    def volume_for(user_id):
        records = serialize_models([world.discussion], current_user_id=user_id)
        return discussion_of(records)["discussion_reader_volume"], records["memberships"]

    assert volume_for(2) == ("normal", [])
    assert volume_for(3)[0] == "loud"


def poll(**attributes):
    nothing = {"anonymous": False, "created_event": None, "discussion": None, "poll_options": []}
    people = {"author": blank("Author", id=3, avatar_kind="x"), "group": None}
    return blank("Poll", id=30, results=[1], **{**nothing, **people, **attributes})


def stance(**attributes):
    defaults = {"reason": "I vote no", "option_scores": {"501": 1}, "participant_id": 3}
    others = {"poll": poll(), "participant": None}
    return blank("Stance", id=40, **{**others, **defaults, **attributes})


def test_a_stance_is_only_ones_own():
    one = poll()
    one.my_stance = stance(participant_id=1, poll=one, created_at="2026-01-01T00:00:00.000Z")

    (own,) = serialize_models([one], current_user_id=1)["polls"]
    (other,) = serialize_models([one], current_user_id=2)["polls"]

    assert own["my_stance_id"] == 40
    assert "my_stance_id" not in other


@pytest.mark.parametrize(
    ("columns", "is_told"),
    [
        ({"hide_results": "until_closed"}, False),
        ({"hide_results": "until_closed", "closed_at": "2026-01-01T00:00:00.000Z"}, True),
        ({"hide_results": "until_vote"}, True),
        ({"hide_results": "off"}, True),
        ({"show_results": False}, False),
        ({"show_results": lambda *, voted: not voted}, False),
    ],
    ids=["open", "closed", "voted", "off", "value", "method"],
)
def test_hidden_results_stay_hidden(columns, is_told):
    shown = poll(**columns)
    voted = stance(poll=shown, created_at="2026-01-01T00:00:00.000Z")

    records = serialize_models([voted])

    assert ("results" in records["polls"][0]) is is_told
    assert ("reason" in records["stances"][0]) is is_told
    assert ("option_scores" in records["stances"][0]) is is_told


def test_a_stance_speaks_its_participants_language_or_the_groups():
    group = blank("Group", id=7, locale="fr", discussions_count=0)
    common = {"created_at": "2026-01-01T00:00:00.000Z", "poll": poll(group=group)}

    def locale_of(one):
        return serialize_models([one])["stances"][0]["locale"]

    spoken = blank("Author", id=3, locale="de", avatar_kind="x")
    assert locale_of(stance(participant=spoken, **common)) == "de"
    silent = blank("Author", id=3, avatar_kind="x")
    assert locale_of(stance(participant=silent, **common)) == "fr"


@pytest.mark.parametrize(
    ("own_id", "reader"),
    [(7, "7"), (UUID(int=7), str(UUID(int=7))), ("ann", "ann"), (7, 7)],
    ids=["text", "UUID", "texts", "numbers"],
)
def test_ones_own_is_known_by_any_form_of_an_id(own_id, reader):
    assert Scope(current_user_id=reader).is_current_user(own_id)
    assert not Scope(current_user_id=reader).is_current_user("another")
    assert not Scope().is_current_user(None)
    assert not Scope(current_user_id="None").is_current_user(None)


def test_an_event_has_a_parent_where_rails_has_loaded_it(world):
    """Events are loaded with their ancestors, and for threads and polls: not for a stance."""
    start, one = world.events[40], poll()
    created = vars(start) | {"id": 95, "kind": "poll_created", "parent_id": 40, "parent": start}
    one.created_event = model("Event", created, eventable=one)
    voted = stance(poll=one, created_at="2026-01-01T00:00:00.000Z")

    of_the_event = serialize_models([one.created_event])
    of_the_poll = serialize_models([one])
    of_the_stance = serialize_models([voted])

    assert of_the_event["events"][0]["parent_id"] == 40
    assert of_the_poll["events"][-1]["parent_id"] == 40
    assert [each["id"] for each in of_the_poll["parent_events"]] == [40]
    assert {each["id"]: each["parent_id"] for each in of_the_stance["events"]}[95] is None
    assert of_the_stance["parent_events"] == []


def test_the_parents_of_events_are_loaded_at_once(world):
    """What a getter finds is followed, too, when the cache is filled."""
    asked = []

    def load(events, _):
        asked.append(sorted(event.id for event in events))
        return {event.id: world.users[3] for event in events}

    event = world.events[91]
    for each in (event, event.parent):
        del each.actor
    loaders = Loaders()
    loaders.add("Event", "actor", load)
    records = serialize_models([event], loaders=loaders)

    assert records["events"][0]["actor_id"] == records["parent_events"][0]["actor_id"] == 3
    assert asked == [[91], [55], [40]]


def test_a_translation_is_never_for_a_group(world):
    world.discussion.translation = blank("Translation", id=9)

    for_all = serialize_models([world.discussion])
    for_one = serialize_models([world.discussion], current_user_id=3)

    assert "translations" not in for_all
    assert "translation_id" not in discussion_of(for_all)
    assert discussion_of(for_one)["translation_id"] == 9


@pytest.mark.parametrize(
    ("fields", "kind"), [(None, "group_announced"), ({"kind": "poll_announced"}, "poll_announced")]
)
def test_an_announcement_is_named_by_what_is_announced(world, fields, kind):
    event = world.events[91]
    event.kind, event.custom_fields = "announcement_created", fields
    notification = blank("Notification", id=1, user_id=5, event=event, actor=None)

    (record,) = serialize_models([notification], current_user_id=5)["notifications"]

    assert record["kind"] == kind


def test_titles_are_an_object_of_each_message_alone():
    user = blank("Author", id=3, avatar_kind="x", experiences={"titles": None})
    user = model("User", vars(user))

    (record,) = serialize_models([user])["users"]
    assert (record["titles"], record["delegates"]) == ({}, {})
    record["titles"]["7"] = "Chair"

    assert serialize_models([user])["users"][0]["titles"] == {}


@pytest.mark.parametrize("scope", [{"include_email": True}, {"current_user_is_admin": True}])
def test_who_may_see_addresses(scope):
    user = model("User", vars(blank("Author", id=3, email="ann@example.org", avatar_kind="x")))

    assert "email" not in serialize_models([user])["users"][0]
    assert serialize_models([user], scope=scope)["users"][0]["email"] == "ann@example.org"
