"""Associations are loaded once for a whole collection."""

from dataclasses import dataclass

import pytest

from publisher import InvalidMessage
from publisher.serializers import (
    Attributes,
    HasMany,
    HasOne,
    Loaders,
    RecordCache,
    Serializer,
    serialize_models,
)


@dataclass
class Voter:
    id: int


@dataclass
class Choice:
    id: int
    ballot_id: int


@dataclass
class Ballot:
    id: int
    voter_id: int | None


class VoterSerializer(Serializer[Voter], model="Voter"):
    attributes = Attributes("id")


class ChoiceSerializer(Serializer[Choice], model="Choice"):
    attributes = Attributes("id")


class BallotSerializer(Serializer[Ballot], model="Ballot"):
    attributes = Attributes("id")
    voter = HasOne(serializer=VoterSerializer)
    choices = HasMany(serializer=ChoiceSerializer)
    mine = HasOne(serializer=ChoiceSerializer, root="choices")


@pytest.fixture
def asked():
    return []


@pytest.fixture
def loaders(asked):
    def voters(ids):
        asked.append(("voters", ids))
        return {number: Voter(number) for number in ids}

    def choices(ids):
        asked.append(("choices", ids))
        return [Choice(10 * number, number) for number in ids]

    def mine(ballots, user_id):
        asked.append(("mine", user_id))
        return {ballots[0].id: Choice(99, ballots[0].id)}

    loaders = Loaders()
    loaders.has_one("Ballot", "voter", key="voter_id", load=voters)
    loaders.has_many("Ballot", "choices", key="ballot_id", load=choices)
    loaders.add("Ballot", "mine", mine)
    return loaders


def test_fifty_cost_as_many_queries_as_one(asked, loaders):
    ballots = [Ballot(number, number % 3 or None) for number in range(1, 51)]

    records = serialize_models(ballots, loaders=loaders, current_user_id=7)

    assert asked == [("voters", [1, 2]), ("choices", list(range(1, 51))), ("mine", 7)]
    assert [record["id"] for record in records["voters"]] == [1, 2]
    assert records["ballots"][1] == {"id": 2, "voter_id": 2, "choice_ids": [20], "mine_id": None}
    assert records["ballots"][2]["voter_id"] is None
    assert records["ballots"][0]["mine_id"] == 99


def test_without_a_loader_the_model_is_asked(asked):
    ballot = Ballot(1, 2)
    ballot.voter, ballot.choices, ballot.mine = Voter(2), [], None

    records = serialize_models(ballot, loaders=Loaders())

    assert records["voters"] == [{"id": 2}]
    assert asked == []


def test_a_cache_knows_what_was_loaded_and_says_what_was_not(loaders):
    ballot = Ballot(1, 2)
    cache = RecordCache.for_collection([ballot], None, loaders=loaders)

    assert cache.fetch(ballot, "voter") == Voter(2)
    assert cache.fetch(ballot, "colour") is not None


@dataclass
class Box:
    """What leads to a ballot, and has no loader."""

    id: int | None
    ballot: Ballot | None
    ballots: object = ()


class BoxSerializer(Serializer[Box], model="Box"):
    attributes = Attributes("id")
    ballot = HasOne(serializer=BallotSerializer)
    ballots = HasMany(serializer=BallotSerializer)


def test_loaders_are_asked_behind_what_has_none(asked, loaders):
    boxes = [Box(number, Ballot(number, 7)) for number in range(1, 51)]

    records = serialize_models(boxes, loaders=loaders)

    assert [name for name, _ in asked] == ["voters", "choices", "mine"]
    assert records["voters"] == [{"id": 7}]
    assert len(records["ballots"]) == 50


def test_what_can_be_gone_through_once_is_enough(loaders):
    box = Box(1, None, (Ballot(number, 7) for number in (1, 2)))

    (record,) = serialize_models([box], loaders=loaders)["boxes"]

    assert record == {"id": 1, "ballot_id": None, "ballot_ids": [1, 2]}


def test_a_loader_may_give_an_iterator(loaders):
    loaders.add("Ballot", "choices", lambda ballots, _: {ballots[0].id: iter([Choice(5, 1)])})

    (record,) = serialize_models([Ballot(1, None)], loaders=loaders)["ballots"]

    assert record["choice_ids"] == [5]


@pytest.mark.parametrize(
    ("key", "load"),
    [
        ("voter", lambda ids: {number: Voter(number) for number in ids}),
        ("voter_id", list),
        ("voter_id", lambda ids: {number + None: 1 for number in ids}),
    ],
    ids=["key", "list", "error"],
)
def test_a_loader_that_fails_is_named(key, load):
    loaders = Loaders()
    loaders.has_one("Ballot", "voter", key=key, load=load)

    with pytest.raises(InvalidMessage, match=r"the loader of Ballot\.voter failed: "):
        serialize_models([Ballot(1, 7)], loaders=loaders)


class Chosen(Serializer[Ballot]):
    root = "ballots"
    attributes = Attributes("id")
    choices = HasMany(serializer=ChoiceSerializer)


def test_records_of_a_model_that_was_not_asked_for_are_named():
    loaders = Loaders()
    loaders.has_many("Ballot", "choices", key="ballot_id", load=lambda _: [Choice(1, "1")])

    with pytest.raises(InvalidMessage, match=r"the loader of Ballot\.choices failed: KeyError"):
        serialize_models([Ballot(1, None)], loaders=loaders, serializer=Chosen)


def test_a_model_without_an_id_is_named_before_anything_is_loaded(asked, loaders):
    with pytest.raises(InvalidMessage, match=r"BallotSerializer\.id is missing"):
        serialize_models([Ballot(1, 7), Ballot(None, 7)], loaders=loaders)

    assert asked == []
