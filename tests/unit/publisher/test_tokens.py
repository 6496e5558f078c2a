"""Tokens: what may be one, and what is stored under it."""

from dataclasses import dataclass

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.journaling import Journaling
from publisher.tokens import new_token, revoke_steps, store_command

ANN = {"id": 123, "name": "Ann"}
FIT = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=512)


@dataclass
class Person:
    id: object
    name: object


def stored(command):
    name, key, body, *rest = command.words
    assert name == "SET"
    return key, orjson.loads(body), rest


@given(FIT.filter(lambda token: token not in {"null", "undefined"}))
def test_any_fit_token_follows_the_prefix(token):
    key, _, _ = stored(store_command(token, ANN, [], None))

    assert key == f"/current_users/{token}"
    assert key in next(revoke_steps(Journaling(is_wanted=True), token)).words


@pytest.mark.parametrize(
    "token",
    ["", "null", "undefined", "a\n", "\x00", "\x7f", "\x85", "\ud800", "x" * 513, None, 1, b"a"],
    ids=ascii,
)
def test_unfit_tokens_are_refused_without_being_quoted(token):
    """The empty token and "null" are what browsers of visitors send: all would be this user."""
    with pytest.raises(InvalidMessage) as caught:
        store_command(token, ANN, [], None)
    with pytest.raises(InvalidMessage):
        revoke_steps(Journaling(is_wanted=True), token)

    assert caught.value.field == "token"
    assert "xxx" not in str(caught.value)


def test_new_tokens_are_fit_and_differ():
    tokens = {new_token() for _ in range(1_000)}

    assert len(tokens) == 1_000
    assert not [token for token in tokens if token.startswith("-")]
    assert {len(token) for token in tokens} == {32}
    for token in tokens:
        store_command(token, ANN, [], None)


@pytest.mark.parametrize("user", [ANN, Person(123, "Ann")], ids=["mapping", "object"])
def test_user_is_a_mapping_or_an_object(user):
    _, identity, _ = stored(store_command("t", user, (1, 2), None))

    assert identity == {"name": "Ann", "group_ids": [1, 2], "id": 123}


def test_a_user_may_be_without_a_name():
    _, identity, _ = stored(store_command("t", Person(1, None), [], None))

    assert identity["name"] is None


@pytest.mark.parametrize("user", [{}, {"id": 1}, {"name": "Ann"}, object(), None])
def test_user_without_id_or_name_is_refused(user):
    with pytest.raises(InvalidMessage, match="user must have id and name"):
        store_command("t", user, [], None)


@pytest.mark.parametrize("user_id", [None, True, 1.0, "", "a b"])
def test_user_whose_id_is_wrong_is_refused(user_id):
    with pytest.raises(InvalidMessage, match="user id must be an int"):
        store_command("t", Person(user_id, "Ann"), [], None)


def test_user_whose_name_is_no_text_is_refused():
    with pytest.raises(InvalidMessage, match="name, not bytes"):
        store_command("t", Person(1, b"Ann"), [], None)


def test_ids_are_stored_as_they_are_given():
    """A number stays a number, a text a text: also one of digits."""
    _, identity, _ = stored(store_command("t", Person("3f2a-7", "Ann"), ["7", 7, 0, -1], None))

    assert identity == {"name": "Ann", "group_ids": ["7", 7, 0, -1], "id": "3f2a-7"}


def test_an_id_of_more_than_64_bits_is_refused():
    """No reader of JSON would know it again."""
    with pytest.raises(InvalidMessage, match="more than 64 bits: pass it as text"):
        store_command("t", Person(2**64, "Ann"), [], None)


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_group_ids_come_from_any_iterable_in_order(group_ids):
    _, identity, _ = stored(store_command("t", ANN, iter(group_ids), None))

    assert identity["group_ids"] == group_ids


@pytest.mark.parametrize(
    "group_ids", [None, 1, "12", b"12", bytearray(b"1"), [""], [1.0], [True]], ids=repr
)
def test_wrong_group_ids_are_refused(group_ids):
    with pytest.raises(InvalidMessage, match="group_ids"):
        store_command("t", ANN, group_ids, None)


def test_ttl_is_given_to_redis_in_seconds():
    assert stored(store_command("t", ANN, [], 60))[2] == ["EX", 60]


def test_without_a_ttl_the_token_stays():
    assert stored(store_command("t", ANN, [], None))[2] == []


@pytest.mark.parametrize("ttl", [0, -1, True, 1.5, "60"])
def test_wrong_ttl_is_refused(ttl):
    with pytest.raises(InvalidMessage, match="ttl must be a positive int"):
        store_command("t", ANN, [], ttl)
