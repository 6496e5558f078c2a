"""What stands beside a record: each once, in the order in which it is needed."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from publisher import InvalidMessage
from publisher.loomio.serializers import decisions
from publisher.serializers import (
    Attribute,
    Attributes,
    HasMany,
    HasOne,
    Hidden,
    Loaders,
    Serializer,
    read,
    serialize_models,
)
from publisher.serializers.registry import registry
from publisher.testing import RecordingPublisher


@dataclass
class Person:
    id: Any
    name: str = "Ann"


@dataclass
class Note:
    id: Any
    text: str = "hi"
    writer: Person | None = None
    parent: "Note | None" = None
    tags: list = field(default_factory=list)
    about: object = None
    is_gone: bool = False


@dataclass
class Label:
    id: Any


class PersonSerializer(Serializer[Person], model=Person):
    attributes = Attributes("id", "name")


class LabelSerializer(Serializer[Label], model="Label"):
    attributes = Attributes("id")


class NoteSerializer(Serializer[Note], model="Note"):
    attributes = Attributes("id", "writer_id", "text", "secret", "loud")
    hidden = Hidden("text", when=lambda note, _: note.is_gone)
    writer_id = Attribute(get=lambda *_: 0)
    secret = Attribute(source="text", when=lambda _, scope: bool(scope.get("is_admin")))
    loud = Attribute(get=lambda note, _: note.text.upper())

    writer = HasOne(serializer=PersonSerializer, root="people")
    parent = HasOne(serializer="NoteSerializer", root="parent_notes")
    tags = HasMany(serializer=LabelSerializer, root="labels")
    about = HasOne(polymorphic=True)


ANN = Person(1)


def test_a_record_has_its_attributes_in_order_then_its_associations():
    note = Note(5, writer=ANN, tags=[Label(8), Label(9)], about=Person(2, "Bo"))

    records = serialize_models(note)

    assert json.dumps(records) == json.dumps(
        {
            "people": [{"id": 1, "name": "Ann"}],
            "parent_notes": [],
            "labels": [{"id": 8}, {"id": 9}],
            "persons": [{"id": 2, "name": "Bo"}],
            "notes": [
                {
                    "id": 5,
                    "writer_id": 1,
                    "text": "hi",
                    "loud": "HI",
                    "parent_id": None,
                    "tag_ids": [8, 9],
                    "about": {"type": "person", "id": 2},
                }
            ],
        }
    )


def test_what_leads_to_a_record_follows_it_and_each_comes_once():
    first = Note(1, writer=ANN)
    second = Note(2, writer=ANN, parent=first)
    third = Note(3, writer=ANN, parent=second)

    records = serialize_models([third, second])

    assert [record["id"] for record in records["parent_notes"]] == [1, 2]
    assert [record["id"] for record in records["notes"]] == [3, 2]
    assert records["people"] == [{"id": 1, "name": "Ann"}]


def test_records_that_lead_to_each_other_come_to_an_end():
    one, two = Note(1), Note(2)
    one.parent, two.parent = two, one

    records = serialize_models([one])

    assert [record["id"] for record in records["parent_notes"]] == [1, 2]


def test_a_chain_that_is_too_long_is_an_error_and_no_crash():
    note = Note(1)
    for number in range(2, 3_000):
        note = Note(number, parent=note)

    with pytest.raises(InvalidMessage, match="lead to each other too far"):
        serialize_models([note])


def test_what_is_published_takes_the_place_of_a_collection_of_the_same_name():
    class Tree(Serializer[Note]):
        attributes = Attributes("id")
        parent = HasOne(serializer="Tree", root="notes")

    records = serialize_models([Note(2, parent=Note(1))], serializer=Tree, root="notes")

    assert records == {"notes": [{"id": 2, "parent_id": 1}]}


def test_conditions_hiding_and_the_scope():
    note = Note(5, is_gone=True)

    (record,) = serialize_models(note, scope={"is_admin": True})["notes"]

    assert record["text"] is None
    assert record["secret"] == "hi"


def test_empty_collections_can_be_left_out():
    assert list(serialize_models(Note(5), omit_empty=True)) == ["notes"]


def test_no_models_are_no_records():
    assert serialize_models([]) == serialize_models(None) == serialize_models(iter(())) == {}


def test_mappings_need_a_serializer_and_are_read_by_key():
    note = {"id": 5, "text": "hi", "writer": {"id": 1, "name": "Ann"}}

    class Plain(Serializer[dict]):
        attributes = Attributes("id", "text")
        writer = HasOne(serializer=PersonSerializer)

    records = serialize_models([note], serializer=Plain, root="notes")

    assert records == {
        "writers": [{"id": 1, "name": "Ann"}],
        "notes": [{"id": 5, "text": "hi", "writer_id": 1}],
    }
    with pytest.raises(InvalidMessage, match="without a serializer: dict; declare one"):
        serialize_models([note])


def test_a_subclass_of_a_model_has_its_serializer():
    class Remark(Note):
        pass

    assert list(serialize_models(Remark(1)))[-1] == "notes"


def test_a_subclass_of_a_serializer_omits_what_it_names():
    class Short(NoteSerializer, omit=("parent", "tags", "about")):
        attributes = Attributes("id")

    assert serialize_models(Note(1, writer=ANN), serializer=Short, root="notes") == {
        "people": [{"id": 1, "name": "Ann"}],
        "notes": [{"id": 1, "writer_id": 1}],
    }


@pytest.mark.parametrize("wrong", [True, "", "a b", 1.0, None])
def test_what_is_no_id_is_refused(wrong):
    for note in (Note(wrong), Note(1, writer=Person(wrong))):
        with pytest.raises(InvalidMessage, match="id"):
            serialize_models(note)


@dataclass
class KeyedNote:
    id: Any
    writer_id: Any
    writer: Person | None = None


class KeyedNoteSerializer(Serializer[KeyedNote], model=KeyedNote):
    root = "notes"
    attributes = Attributes("id")
    writer = HasOne(serializer=PersonSerializer, root="people")


def test_ids_may_be_texts_and_uuids():
    """As by publisher.contract; a UUID is its text, in the record and where others name it."""
    key = uuid.UUID(int=7)

    assert serialize_models(KeyedNote("n-1", key, writer=Person(key))) == {
        "people": [{"id": str(key), "name": "Ann"}],
        "notes": [{"id": "n-1", "writer_id": str(key)}],
    }


def test_loaders_find_what_has_a_uuid():
    keys = [uuid.UUID(int=number) for number in (1, 2)]
    people = {key: Person(key) for key in keys}
    loaders = Loaders()
    loaders.has_one(
        "KeyedNote", "writer", key="writer_id", load=lambda ids: {key: people[key] for key in ids}
    )
    notes = [KeyedNote(uuid.UUID(int=10 + place), key) for place, key in enumerate(keys)]

    records = serialize_models(notes, loaders=loaders)

    assert [note["writer_id"] for note in records["notes"]] == [str(key) for key in keys]
    assert [person["id"] for person in records["people"]] == [str(key) for key in keys]


def test_an_attribute_that_is_not_there_is_named():
    class Wrong(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id", "colour")

    with pytest.raises(
        InvalidMessage,
        match=r"Wrong\.colour cannot be read: 'Note' object has no attribute 'colour'",
    ):
        serialize_models(Note(1), serializer=Wrong)


def test_an_association_that_is_not_there_is_named():
    class Wrong(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id")
        colour = HasOne(serializer=LabelSerializer)

    with pytest.raises(InvalidMessage, match=r"Wrong\.colour cannot be read"):
        serialize_models(Note(1), serializer=Wrong)


def test_a_serializer_that_is_not_defined_is_named():
    class Wrong(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id")
        writer = HasOne(serializer="NowhereSerializer")

    with pytest.raises(InvalidMessage, match="NowhereSerializer is not defined"):
        serialize_models(Note(1, writer=ANN), serializer=Wrong)


def test_a_value_that_json_does_not_know_is_named():
    with pytest.raises(InvalidMessage, match=r"PersonSerializer\.name is a object"):
        serialize_models(Person(1, object()))


@pytest.mark.parametrize("huge", [2**64, -(2**64)])
def test_an_int_that_no_client_can_read_is_named(huge):
    with pytest.raises(
        InvalidMessage, match=r"records\.persons\[0\]\.name is an int of more than 64"
    ):
        RecordingPublisher().publish_models(Person(1, huge), group_id=1)


def test_an_int_of_64_bits_is_written():
    assert serialize_models(Person(1, 2**64 - 1))["persons"][0]["name"] == 2**64 - 1


def test_an_attribute_may_have_the_name_of_a_declaration():
    class Rooted(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id", "root")
        root_ = Attribute(source="text")

    assert serialize_models(Note(1), serializer=Rooted) == {"notes": [{"id": 1, "root": "hi"}]}


def test_only_so_many_classes_are_remembered(monkeypatch):
    """A program may make classes while it runs."""
    monkeypatch.setattr(read, "CLASSES_MAX", 20)
    monkeypatch.setattr("publisher.serializers.registry.CLASSES_MAX", 20)

    for number in range(1, 100):
        kind = type("Person", (Person,), {})
        assert serialize_models(kind(number)) == {"persons": [{"id": number, "name": "Ann"}]}

    assert len(read.OBJECTS) <= 20
    assert len(registry._found) <= 20


class Lazy:
    """Stands for another, as ``request.user`` does in Django."""

    def __init__(self, model):
        object.__setattr__(self, "_model", model)

    def __getattribute__(self, name):
        return getattr(object.__getattribute__(self, "_model"), name)


def test_what_stands_for_a_model_is_published_as_that_model():
    assert serialize_models([Lazy(Person(1))]) == {"persons": [{"id": 1, "name": "Ann"}]}
    with pytest.raises(InvalidMessage, match="of a type without a serializer: Odd"):
        serialize_models([Lazy(type("Odd", (), {"id": 1})())])


def test_a_name_means_what_is_declared_in_the_same_package():
    class PollSerializer(Serializer, model="SurveyPoll"):
        attributes = Attributes("id")

    assert registry.named("PollSerializer", "publisher.loomio.serializers.threads") is (
        decisions.PollSerializer
    )
    assert registry.named("PollSerializer", "tests.elsewhere") is PollSerializer
    assert registry.named("PollSerializer", "elsewhere") is PollSerializer


class Several(NamedTuple):
    """One model, although it can be gone through."""

    id: int
    name: str


class SeveralSerializer(Serializer[Several], model=Several):
    attributes = Attributes("id", "name")


def test_a_model_that_can_be_gone_through_is_one():
    assert serialize_models(Several(1, "Ann")) == {"severals": [{"id": 1, "name": "Ann"}]}


def test_models_of_more_than_one_type_are_refused():
    with pytest.raises(InvalidMessage, match="more than one type"):
        serialize_models([Person(1), Several(2, "Bo")])


class Broken:
    """Fails inside a property."""

    id = 1

    @property
    def name(self):
        return self.nowhere

    @property
    def author(self):
        return self.nowhere


def test_the_error_of_a_property_is_said_and_not_taken_for_absence():
    class Plain(Serializer):
        root = "x"
        attributes = Attributes("id", "name")

    class Linked(Serializer):
        root = "x"
        attributes = Attributes("id")
        author = HasOne(serializer=PersonSerializer, is_optional=True)

    for serializer, where in ((Plain, "name"), (Linked, "author")):
        with pytest.raises(InvalidMessage, match=rf"{where} cannot be read: .*nowhere"):
            serialize_models(Broken(), serializer=serializer)


def test_records_made_by_hand_are_checked_too():
    class Own(Serializer[Person]):
        root = "persons"

        @classmethod
        def record_of(cls, model, scope):
            del scope
            return {"id": model.id, "score": model.name}

    score = Decimal("1.50")
    assert serialize_models(Person(1, score), serializer=Own)["persons"][0]["score"] == "1.5"
    with pytest.raises(InvalidMessage, match=r"Own\.score is NaN"):
        serialize_models(Person(1, float("nan")), serializer=Own)


def test_what_a_condition_asks_for_in_vain_is_an_error_of_ours():
    class Asking(Serializer[Person]):
        root = "persons"
        attributes = Attributes("id")
        id_ = Attribute(get=lambda person, _: person.nothing)

    with pytest.raises(InvalidMessage, match=r"models cannot be read: .*nothing") as caught:
        serialize_models(Person(1), serializer=Asking)
    assert isinstance(caught.value.__cause__, AttributeError)


@pytest.mark.parametrize("user_id", [None, 7])
def test_who_reads_is_not_for_the_caller_to_say(user_id):
    class Told(Serializer[Person]):
        root = "persons"
        attributes = Attributes("id", "reader")
        reader = Attribute(get=lambda _, scope: scope.get("current_user_id"))

    records = serialize_models(
        Person(1), serializer=Told, scope={"current_user_id": 9}, current_user_id=user_id
    )

    assert records["persons"][0]["reader"] == user_id


def test_a_scope_is_a_mapping_and_a_serializer_has_a_collection():
    class Nowhere(Serializer[Person]):
        attributes = Attributes("id")

    with pytest.raises(InvalidMessage, match="scope must be a mapping, not list"):
        serialize_models(Person(1), scope=[1])
    for serializer in (Nowhere, "PersonSerializer"):
        with pytest.raises(InvalidMessage, match="root is missing"):
            serialize_models(Person(1), serializer=serializer)


def test_records_of_different_classes_in_one_collection_are_different():
    class Pair(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id")
        writer = HasOne(serializer=PersonSerializer, root="people")
        parent = HasOne(serializer=SeveralSerializer, root="people")

    note = Note(1, writer=Person(1), parent=Several(1, "Bo"))

    assert [each["name"] for each in serialize_models(note, serializer=Pair)["people"]] == [
        "Ann",
        "Bo",
    ]


def test_a_record_that_stands_in_two_collections_is_made_once():
    asked = []

    class Counted(Serializer[Person]):
        attributes = Attributes("id", "name")
        name = Attribute(get=lambda person, _: asked.append(person.id) or person.name)

    class Two(Serializer[Note]):
        root = "notes"
        attributes = Attributes("id")
        writer = HasOne(serializer=Counted, root="writers")
        parent = HasOne(serializer=Counted, root="parents")

    person = Person(1)
    records = serialize_models(Note(1, writer=person, parent=person), serializer=Two)
    records["writers"][0]["name"] = "Bo"

    assert records["parents"] == [{"id": 1, "name": "Ann"}]
    assert asked == [1]


@pytest.mark.parametrize("year", [1, 9999])
def test_a_moment_beyond_the_calendar_in_utc_is_named(year):
    """Found by trying: an OverflowError, which no caller expects."""
    zone = dt.timezone(dt.timedelta(hours=14 if year == 1 else -12))
    edge = dt.datetime(year, 1 if year == 1 else 12, 1 if year == 1 else 31, tzinfo=zone)
    edge = edge.replace(hour=0 if year == 1 else 23)

    with pytest.raises(InvalidMessage, match=r"\.at is beyond the years 1 to 9999 in UTC"):
        serialize_models(SimpleNamespace(id=1, at=edge), serializer=MomentSerializer)


class MomentSerializer(Serializer):
    root = "moments"
    attributes = Attributes("id", "at")
