"""Compact JSON in UTF-8, or a refusal that names the argument."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
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


@dataclass
class Secret:
    token: str = "s3cret"


@pytest.mark.parametrize(
    "value",
    [object(), Secret(), {(1,): 2}, b"bytes", Decimal("NaN")],
    ids=["object", "dataclass", "tuple as key", "bytes", "Decimal"],
)
def test_what_is_not_json_is_refused_by_name(value):
    with pytest.raises(InvalidMessage) as caught:
        payload("records", {"events": [{}, {"score": value}]})

    assert caught.value.field == "records.events[1].score"
    assert "s3cret" not in str(caught.value)


def test_a_key_that_is_no_text_is_written_as_with_models():
    assert payload("records", {"titles": {7: "Chair"}}) == b'{"titles":{"7":"Chair"}}'


def test_a_generator_is_written_once_and_never_without_what_was_in_it():
    """orjson goes through it, and then finds a key that is no text: it must not be empty then."""
    assert payload("records", {"a": (n for n in range(2))}) == b'{"a":[0,1]}'
    with pytest.raises(InvalidMessage, match=r"records\.a is a generator that is used up"):
        payload("records", {"a": (n for n in range(2)), 7: 1})
    with pytest.raises(InvalidMessage, match="records is a object"):
        payload("records", {"a": (n for n in range(2)), "b": object()})


def test_values_are_written_as_rails_writes_them():
    naive = dt.datetime(2026, 1, 31, 9, 15, 27, 412_345)  # noqa: DTZ001 - as in a database
    values = [naive, dt.date(2026, 1, 31), Decimal("1.50"), {7}, uuid.UUID(int=7), "\ud800"]
    written = ["2026-01-31T09:15:27.412Z", "2026-01-31", "1.5", [7], str(uuid.UUID(int=7))]

    assert json.loads(payload("records", values[:-1])) == written
    assert json.loads(payload("records", [values[0], values[-1]])) == [written[0], "\ud800"]


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
