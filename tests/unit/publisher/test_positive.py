"""A wrong id would name a room in which nobody is, without a word."""

import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.positive import positive_int


class Id(enum.IntEnum):
    SEVEN = 7


@given(st.integers(min_value=1))
def test_positive_ints_are_given_back(value):
    assert positive_int("group_id", value) == value


def test_a_kind_of_int_becomes_a_plain_one():
    """Its own way of being written must not reach a room's name."""
    assert type(positive_int("group_id", Id.SEVEN)) is int


@given(st.integers(max_value=0))
def test_zero_and_less_is_refused(value):
    with pytest.raises(InvalidMessage, match="group_id must be a positive int"):
        positive_int("group_id", value)


@given(st.booleans() | st.floats() | st.text() | st.binary() | st.none() | st.lists(st.integers()))
def test_everything_else_is_refused_without_being_quoted(value):
    with pytest.raises(InvalidMessage) as caught:
        positive_int("group_id", value)

    assert str(caught.value) == f"group_id must be a positive int, not {type(value).__name__}"
