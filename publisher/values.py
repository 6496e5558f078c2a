"""Values as Rails writes them into JSON.

=====================  =========================================================
date and time          ISO 8601, UTC, milliseconds, ``Z``; a naive one is in UTC
date                   ``2026-01-31``
time                   ``09:15:00.000``
timedelta              whole seconds
Decimal                a string that always has a point, and no spare zeros: ``"12.0"``
UUID                   its text
Enum                   its value
mapping                an object; keys become text: ``{7: …}`` is ``{"7": …}``
list, tuple, set, …    an array; also a view of a dict, a generator, a query set
lazy text              its text: whatever has the methods of a text
file of a model        its URL, or null
=====================  =========================================================
"""

from __future__ import annotations

import datetime as dt
import enum
import functools
import math
import uuid
from collections import UserList, UserString, deque
from collections.abc import Callable, Iterable, Mapping, ValuesView
from collections.abc import Set as AbstractSet
from decimal import Decimal
from types import GeneratorType
from typing import Any, Final, TypeAlias

import orjson

from publisher.errors import InvalidMessage
from publisher.not_loaded import reading

PLAIN: Final = frozenset({str, bool, int, type(None)})
"""Types whose values are JSON already. (How large an int may be is for ``payload`` to say.)"""

EMPTY: Final = frozenset({list, dict})
"""Of these, an empty one is JSON already."""

_TEXT: Final = frozenset({str})
_DEPTH_MAX: Final = 100
_IN_UTC: Final = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z

Write: TypeAlias = Callable[[Any, str, int], object]
"""Takes a value, what to name in an error, and how deep the value is nested."""


def as_json(value: object, where: str, depth: int = 0) -> object:
    """Turn a value into JSON values.

    Args:
        value: Anything of the table above, nested.
        where: To name in an error, such as ``comments.body``; a place in the value is added.
        depth: How deep it is nested already.

    Raises:
        InvalidMessage: If it cannot be written: NaN, bytes, an object of another type, something
            that contains itself. (How large an int may be is for ``payload`` to say.)
    """
    return _writer_of(type(value))(value, where, depth)


def _array(value: Iterable[object], where: str, depth: int) -> list[object]:
    if depth == _DEPTH_MAX:
        raise InvalidMessage(where, f"is nested more than {_DEPTH_MAX} levels deep, or in itself")
    if type(value) is list and PLAIN.issuperset(map(type, value)):
        return value
    written: list[object] = []
    try:
        for item in value:
            written.append(as_json(item, where, depth + 1))  # noqa: PERF401 - says how many there are
    except InvalidMessage as error:
        raise _deeper(error, where, f"[{len(written)}]") from error.__cause__
    return written


def _generated(value: GeneratorType[object, object, object], where: str, depth: int) -> object:
    if value.gi_frame is None:
        raise InvalidMessage(where, "is a generator that is used up: make a list of it")
    return _array(value, where, depth)


def _object(value: Mapping[object, object], where: str, depth: int) -> dict[str, object]:
    if depth == _DEPTH_MAX:
        raise InvalidMessage(where, f"is nested more than {_DEPTH_MAX} levels deep, or in itself")
    if (
        type(value) is dict
        and _TEXT.issuperset(map(type, value))
        and PLAIN.issuperset(map(type, value.values()))
    ):
        return value
    written: dict[str, object] = {}
    for key, item in value.items():
        name = key if type(key) is str else _key(key, where)
        try:
            written[name] = as_json(item, where, depth + 1)
        except InvalidMessage as error:
            raise _deeper(error, where, f".{name}") from error.__cause__
    return written


def _deeper(error: InvalidMessage, where: str, place: str) -> InvalidMessage:
    """The same error, about a place in what stands where it was noticed."""
    return InvalidMessage(f"{where}{place}{error.field.removeprefix(where)}", error.problem)


def _key(key: object, where: str) -> str:
    written = as_json(key, where)
    if isinstance(written, str):
        return written
    if isinstance(written, bool):
        return "true" if written else "false"
    if written is None:
        return ""
    if isinstance(written, int):
        return str(written)
    raise InvalidMessage(where, f"has a key of type {type(key).__name__}: keys are text")


def _itself(value: object, where: str, depth: int) -> object:
    del where, depth
    return value


def _real(value: float, where: str, depth: int) -> float:
    del depth
    number = float(value)
    if not math.isfinite(number):
        raise InvalidMessage(where, "is NaN or infinite, which JSON does not know")
    return number


def _decimal(value: Decimal, where: str, depth: int) -> str:
    del depth
    if not value.is_finite():
        raise InvalidMessage(where, "is NaN or infinite, which JSON does not know")
    whole, _, fraction = format(value, "f").partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


@functools.lru_cache(maxsize=4096)
def moment(value: dt.datetime) -> str:
    """Write a date and time: no subclass, and none with ``fold``, which equals one without.

    Raises ``OverflowError`` beyond the years 1 to 9999 in UTC.

    0.6 µs, where ``isoformat`` takes 3.8; 0.1 if it was written before, as when a group was made.
    """
    utc = value if value.tzinfo is None else value.astimezone(dt.UTC)
    text = orjson.dumps(utc, None, _IN_UTC)  # "2026-01-31T09:15:27.412345Z", or without fraction
    return f"{text[1:24].decode()}Z" if utc.microsecond else f"{text[1:20].decode()}.000Z"


def _moment(value: dt.datetime, where: str, depth: int) -> str:
    del depth
    try:
        return moment.__wrapped__(value) if value.fold else moment(value)
    except OverflowError:
        raise beyond_the_years(where) from None


def beyond_the_years(where: str) -> InvalidMessage:
    """The error for a date and time that cannot be written in UTC."""
    return InvalidMessage(where, "is beyond the years 1 to 9999 in UTC")


def _moment_of_a_subclass(value: dt.datetime, where: str, depth: int) -> str:
    """``orjson`` writes no subclasses."""
    del depth
    try:
        utc = value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError:
        raise beyond_the_years(where) from None
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def _enum(value: enum.Enum, where: str, depth: int) -> object:
    return as_json(value.value, where, depth)


def _unknown(value: object, where: str, depth: int) -> object:
    """Of which only the object itself, or its class, knows what it is; else it is an error."""
    # Of something that has whatever it is asked for, such as a mock, nobody knows what it is.
    if all(hasattr(value, name) for name in _OF_TEXTS) and not hasattr(value, "no text has this"):
        return str(value)
    bases = {f"{base.__module__}.{base.__qualname__}" for base in type(value).__mro__}
    if not bases.isdisjoint(_QUERIES):
        rows: Any = value
        with reading(where):
            return _array(rows, where, depth)
    if _FILE in bases:
        return _url_of(value, where)
    raise InvalidMessage(
        where, f"is a {type(value).__name__}: give it a serializer, or a value that JSON knows"
    )


def _url_of(file: Any, where: str) -> object:
    try:
        return str(file.url) if file else None
    except Exception as error:  # of any storage
        raise InvalidMessage(where, f"is a file without a URL: {error}") from error


def _bytes(value: bytes, where: str, depth: int) -> object:
    del depth
    raise InvalidMessage(where, f"is {type(value).__name__}: publish it as text")


_OF_TEXTS: Final = ("casefold", "encode", "isidentifier", "splitlines")
"""What only texts have, and what stands for one: translated late, escaped, …"""

_QUERIES: Final = frozenset(
    {
        "django.db.models.query.QuerySet",
        "sqlalchemy.engine.result.ScalarResult",
        "sqlalchemy.engine.row.Row",
        "sqlalchemy.ext.associationproxy._AssociationList",
        "sqlalchemy.ext.associationproxy._AssociationSet",
        "sqlalchemy.orm.query.Query",
    }
)
_FILE: Final = "django.db.models.fields.files.FieldFile"

_BASES: Final[tuple[tuple[type, Write], ...]] = (
    (enum.Enum, _enum),
    (str, lambda value, *_: str.__str__(value)),
    (int, lambda value, *_: int(value)),
    (float, _real),
    (Decimal, _decimal),
    (dt.datetime, _moment_of_a_subclass),
    (dt.date, lambda value, *_: value.isoformat()),
    (dt.time, lambda value, *_: value.isoformat(timespec="milliseconds")),
    (dt.timedelta, lambda value, *_: int(value.total_seconds())),
    (uuid.UUID, lambda value, *_: str(value)),
    (bytes, _bytes),
    (bytearray, _bytes),
    (memoryview, _bytes),
    (list, _array),
    (tuple, _array),
    (AbstractSet, _array),
    (ValuesView, _array),
    (GeneratorType, _generated),
    (Mapping, _object),
    (UserString, lambda value, *_: str(value)),
    (range, _array),
    (deque, _array),
    (UserList, _array),
)
"""In this order: an IntEnum is an enum, a date and time is no date."""


def _find_writer(kind: type) -> Write:
    if kind in PLAIN:
        return _itself
    if kind is dt.datetime:
        return _moment
    for base, write in _BASES:
        if issubclass(kind, base):
            return write
    return _unknown


_writer_of: Final[Callable[[type], Write]] = functools.lru_cache(maxsize=1024)(_find_writer)
