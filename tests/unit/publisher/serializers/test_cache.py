"""Associations are loaded once for a whole collection."""

from dataclasses import dataclass

import pytest

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
