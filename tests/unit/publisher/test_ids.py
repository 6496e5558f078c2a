"""Ids of users and groups: one rule, for numbers and for texts."""

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.contract.ids import id_text, read_id
from publisher.ids import checked_id

TEXTS = st.text("ABCXYZabcxyz0189_-.:", min_size=1, max_size=64)
UUID = "3f2a8c1e-0b7d-4e55-9a51-6f1f5f0c2d11"
WRONG_TEXTS = ["", " ", "a b", "7\n", "\u0661", "é", "a/b", "a" * 65, "\ud800"]


class Number(int, enum.Enum):
    SEVEN = 7


class Text(str, enum.Enum):  # noqa: UP042 - what applications have
    ANN = "ann"


@given(st.integers(-(2**63), 2**64 - 1) | TEXTS)
def test_numbers_and_texts_are_given_back_as_they_are(value):
    assert checked_id("user_id", value) == value
    assert id_text(value) == str(value)


@pytest.mark.parametrize(
    ("value", "plain"), [(Number.SEVEN, 7), (Text.ANN, "ann")], ids=["int", "str"]
)
def test_kinds_of_them_become_plain_ones(value, plain):
    """Their own way of being written must not reach a room's name."""
    assert type(checked_id("user_id", value)) is type(plain)
    assert id_text(value) == str(plain)


@pytest.mark.parametrize(
    "wrong", [*WRONG_TEXTS, 10**64, -(10**63), 10**5_000], ids=range(len(WRONG_TEXTS) + 3)
)
def test_what_is_outside_the_rule_is_refused_without_being_quoted(wrong):
    assert id_text(wrong) is None
    with pytest.raises(InvalidMessage) as caught:
        checked_id("user_id", wrong)

    rule = "must be an int or a text, of 1 to 64 characters out of A-Z a-z 0-9 _ - . :"
    assert str(caught.value) == f"user_id {rule}"


@given(st.uuids())
def test_a_uuid_is_its_text(value):
    assert checked_id("user_id", value) == str(value)


@given(st.booleans() | st.floats() | st.binary() | st.none())
def test_another_type_is_refused_and_named(value):
    assert id_text(value) is None
    with pytest.raises(InvalidMessage) as caught:
        checked_id("user_id", value)

    assert (
        str(caught.value) == f"user_id must be an int, a str or a UUID, not {type(value).__name__}"
    )


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("7", 7),
        ("0", 0),
        ("-5", -5),
        (str(2**53 - 1), 2**53 - 1),
        (str(2**53), str(2**53)),
        ("9" * 64, "9" * 64),
        ("007", "007"),
        ("-0", "-0"),
        ("1e3", "1e3"),
        (UUID, UUID),
        *((wrong, None) for wrong in WRONG_TEXTS),
    ],
    ids=ascii,
)
def test_what_is_typed_is_a_number_if_that_is_the_same_id(typed, read):
    found = read_id(typed)

    assert (found, type(found)) == (read, type(read))
