"""Values as Rails writes them."""

import array
import datetime as dt
import enum
import io
import math
import uuid
from collections import UserString
from decimal import Decimal
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
from django.utils.functional import lazystr
from hypothesis import given
from hypothesis import strategies as st

from publisher import InvalidMessage
from publisher.values import as_json


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


NAIVE = dt.datetime(2025, 11, 3, 9, 15, 27, 412_999)  # noqa: DTZ001 - that is the point
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (NAIVE, "2025-11-03T09:15:27.412Z"),
        (dt.datetime(2025, 11, 3, 9, 15, tzinfo=dt.UTC), "2025-11-03T09:15:00.000Z"),
        (dt.datetime(2025, 11, 3, 9, 15, tzinfo=BERLIN), "2025-11-03T08:15:00.000Z"),
        (dt.date(2025, 11, 3), "2025-11-03"),
        (dt.time(9, 15), "09:15:00.000"),
        (dt.timedelta(minutes=2), 120),
        (Decimal("1.50"), "1.5"),
        (Decimal("0E-10"), "0.0"),
        (Decimal(12), "12.0"),
        (Decimal("1E+3"), "1000.0"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        ({7: "Chair", None: 1, True: 2}, {"7": "Chair", "": 1, "true": 2}),
        ({Colour.RED: [dt.date(2025, 1, 1)]}, {"red": ["2025-01-01"]}),
        ((1, [2.5, None], {"a": {3}}), [1, [2.5, None], {"a": [3]}]),
        (range(3), [0, 1, 2]),
        ("ü", "ü"),
        (True, True),
        (2**64 - 1, 2**64 - 1),
    ],
    ids=repr,
)
def test_a_value_is_written_as_rails_writes_it(value, written):
    found = as_json(value, "x")

    assert found == written
    assert type(found) is type(written)


@given(st.datetimes(timezones=st.sampled_from([None, dt.UTC, BERLIN])))
def test_a_moment_is_written_as_the_standard_library_does(moment):
    utc = moment if moment.tzinfo is None else moment.astimezone(dt.UTC).replace(tzinfo=None)

    assert as_json(moment, "x") == f"{utc.isoformat(timespec='milliseconds')}Z"


def test_the_second_of_two_hours_that_bear_one_name_is_another():
    """At the end of summer time; the two moments are equal to Python."""
    first = dt.datetime(2025, 10, 26, 2, 30, tzinfo=BERLIN)

    assert as_json(first, "x") == "2025-10-26T00:30:00.000Z"
    assert as_json(first.replace(fold=1), "x") == "2025-10-26T01:30:00.000Z"
    assert as_json(first, "x") == "2025-10-26T00:30:00.000Z"


def test_a_moment_of_another_library_is_written_the_same():
    class Moment(dt.datetime):
        __slots__ = ()

    assert as_json(Moment(2025, 11, 3, 9, 15, tzinfo=BERLIN), "x") == "2025-11-03T08:15:00.000Z"


def test_a_subclass_of_str_becomes_a_str():
    class Safe(str):
        __slots__ = ()

    assert type(as_json(Safe("<b>"), "x")) is str


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (math.nan, "NaN"),
        (-math.inf, "NaN"),
        (Decimal("NaN"), "NaN"),
        (b"bytes", "is bytes: publish it as text"),
        pytest.param(object(), "is a object: give it a serializer", id="object"),
        ({(1, 2): 3}, "has a key of type tuple"),
    ],
    ids=repr,
)
def test_what_json_does_not_know_is_named(value, problem):
    with pytest.raises(InvalidMessage, match=problem) as caught:
        as_json({"a": [value]}, "comments.body")

    assert caught.value.field == "comments.body.a[0]"


class Lazy:
    """As of Flask-Babel, and of others: everything is asked of the text."""

    def __init__(self, text):
        self._text = text

    def __getattr__(self, name):
        return getattr(self._text, name)

    def __str__(self):
        return self._text

    def __len__(self):
        return len(self._text)

    def __iter__(self):
        return iter(self._text)


@pytest.mark.parametrize("lazy", [Lazy("hello"), lazystr("hello"), UserString("hello")])
def test_a_text_that_is_made_late_is_its_text(lazy):
    """It can be gone through, so it became an array of letters."""
    assert as_json({"a": lazy}, "x") == {"a": "hello"}


def test_what_has_whatever_it_is_asked_for_is_no_text():
    """A mock was published as its own description."""
    with pytest.raises(InvalidMessage, match="is a Mock"):
        as_json({"a": Mock()}, "x")


@pytest.mark.parametrize(
    "view", [{1: 2}.keys(), {2: 1}.values(), (n for n in [1]), frozenset({1})]
)
def test_a_collection_of_a_known_kind_is_an_array(view):
    assert as_json(view, "x") == [1]


@pytest.mark.parametrize("kind", [array.array("b", b"secret"), io.BytesIO(b"secret"), iter([1])])
def test_what_can_merely_be_gone_through_is_no_array(kind):
    """Its content is not for browsers because somebody can read it."""
    with pytest.raises(InvalidMessage, match=r"x\.a is a"):
        as_json({"a": kind}, "x")


def test_what_contains_itself_is_refused():
    loop = []
    loop.append(loop)

    with pytest.raises(InvalidMessage, match="in itself"):
        as_json(loop, "x")


@pytest.mark.parametrize(("year", "hours"), [(1, 14), (9999, -12)], ids=["first", "last"])
@pytest.mark.parametrize("fold", [0, 1])
def test_a_moment_that_utc_does_not_have_is_an_error(year, hours, fold):
    zone = dt.timezone(dt.timedelta(hours=hours))
    day, hour = (1, 0) if year == 1 else (31, 23)
    elsewhere = dt.datetime(year, day if day == 1 else 12, day, hour, tzinfo=zone, fold=fold)

    with pytest.raises(InvalidMessage, match=r"x\.at is beyond the years 1 to 9999"):
        as_json(elsewhere, "x.at")
