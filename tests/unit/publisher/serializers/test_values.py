"""Values as Rails writes them."""

import datetime as dt
import enum
import math
import uuid
from decimal import Decimal

import pytest

from publisher import InvalidMessage
from publisher.serializers.values import as_json


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


NAIVE = dt.datetime(2025, 11, 3, 9, 15, 27, 412_999)  # noqa: DTZ001 - that is the point
BERLIN = dt.timezone(dt.timedelta(hours=2))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (NAIVE, "2025-11-03T09:15:27.412Z"),
        (dt.datetime(2025, 11, 3, 9, 15, tzinfo=dt.UTC), "2025-11-03T09:15:00.000Z"),
        (dt.datetime(2025, 11, 3, 9, 15, tzinfo=BERLIN), "2025-11-03T07:15:00.000Z"),
        (dt.date(2025, 11, 3), "2025-11-03"),
        (dt.time(9, 15), "09:15:00.000"),
        (dt.timedelta(minutes=2), 120),
        (Decimal("1.50"), "1.50"),
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
        (2**64, "64 bits"),
        (b"bytes", "is a bytes"),
        (object(), "is a object: give it a serializer"),
        ({(1, 2): 3}, "has a key of type tuple"),
    ],
    ids=repr,
)
def test_what_json_does_not_know_is_named(value, problem):
    with pytest.raises(InvalidMessage, match=problem) as caught:
        as_json({"a": [value]}, "comments.body")

    assert caught.value.field == "comments.body"


def test_what_contains_itself_is_refused():
    loop = []
    loop.append(loop)

    with pytest.raises(InvalidMessage, match="in itself"):
        as_json(loop, "x")
