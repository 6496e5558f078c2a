"""Compact JSON in UTF-8, or a refusal that names the argument."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.payload import payload

SIGNED_64 = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | SIGNED_64 | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_comes_out_as_it_went_in(document):
    assert json.loads(payload("records", document)) == document


@given(st.dictionaries(TEXT, SIGNED_64))
def test_bytes_are_those_of_compact_json_with_keys_in_order(document):
    expected = json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    written = payload("records", document)

    # The standard library also escapes DEL; both spellings are the same JSON.
    assert written.decode().replace("\x7f", "\\u007f") == expected.replace("\x7f", "\\u007f")


@pytest.mark.parametrize(
    ("value", "where"),
    [
        (float("nan"), r"records\.polls\[1\]\.score is NaN"),
        ([None, float("-inf")], r"records\.polls\[1\]\.score\[1\] is NaN"),
        (("\ud800", 2**64), r"records\.polls\[1\]\.score\[1\] is an int of more than 64 bits"),
        (-(2**63) - 1, r"records\.polls\[1\]\.score is an int of more than 64 bits"),
    ],
    ids=repr,
)
def test_a_number_that_no_client_can_read_is_named(value, where):
    with pytest.raises(InvalidMessage, match=where):
        payload("records", {"polls": [{}, {"score": value}]})


@pytest.mark.parametrize(
    "value",
    [Decimal(1), object(), {1: 2}, {1, 2}, b"bytes"],
    ids=["Decimal", "object", "int key", "set", "bytes"],
)
def test_what_is_not_json_is_refused_by_name(value):
    with pytest.raises(InvalidMessage) as caught:
        payload("records", {"events": [value]})

    assert caught.value.field == "records"


def test_endless_nesting_is_refused():
    """A cycle must not take the process down."""
    cycle = []
    cycle.append(cycle)

    with pytest.raises(InvalidMessage):
        payload("records", cycle)


@pytest.mark.parametrize(
    ("value", "written"),
    [("\ud800", rb'"\ud800"'), ([None, 1.5], b"[null,1.5]")],
)
def test_what_only_the_standard_module_can_write_is_written(value, written):
    """Any JSON is passed through, also what orjson does not know."""
    assert payload("records", value) == written
