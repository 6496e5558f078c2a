"""What stands beside a record: each once, in the order in which it is needed."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from publisher import InvalidMessage
from publisher.serializers import (
    Attribute,
    Attributes,
    HasMany,
    HasOne,
    Hidden,
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
    with pytest.raises(InvalidMessage, match="without a serializer: dict; pass serializer="):
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


@pytest.mark.parametrize("wrong", [0, -1, True, "5", 1.0, None])
def test_an_id_is_a_positive_int(wrong):
    for note in (Note(wrong), Note(1, writer=Person(wrong))):
        with pytest.raises(InvalidMessage, match="id"):
            serialize_models(note)


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
