"""Values as Rails writes them into JSON.

=====================  =========================================================
date and time          ISO 8601, UTC, milliseconds, ``Z``; a naive one is in UTC
date                   ``2026-01-31``
time                   ``09:15:00.000``
timedelta              whole seconds
Decimal                a string that always has a point: ``"12.0"``
UUID                   its text
Enum                   its value
mapping                an object; keys become text: ``{7: …}`` is ``{"7": …}``
list, tuple, set, …    an array
=====================  =========================================================
"""

from __future__ import annotations

import datetime as dt
import enum
import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final

from publisher.errors import InvalidMessage

PLAIN: Final = frozenset({str, bool, type(None)})
"""Types whose values are JSON already; so are ints, up to ``INT_MAX``."""

INT_MAX: Final = 2**63 - 1
"""The largest int that is not looked at twice; up to 64 bits are written."""

_CONTAINERS: Final = frozenset({list, tuple, dict})
_DEPTH_MAX: Final = 100
_INT_BITS_MAX: Final = 64


def as_json(value: object, where: str) -> object:
    """Turn a value into JSON values.

    Args:
        value: Anything of the table above, nested.
        where: To name in an error, such as ``comments.body``.

    Raises:
        InvalidMessage: If it cannot be written: NaN, an int beyond 64 bits, bytes, an object of
            another type, something that contains itself.
    """
    return _as_json(value, where, 0)


def _as_json(value: object, where: str, depth: int) -> object:
    if depth > _DEPTH_MAX:
        raise InvalidMessage(where, f"is nested more than {_DEPTH_MAX} levels deep, or in itself")
    kind = type(value)
    if kind is list and PLAIN.issuperset(map(type, value)):  # type: ignore[call-overload]
        return value
    write = _WRITERS.get(kind) or (None if kind in _CONTAINERS else _writer_for(value))
    if write is not None:
        return write(value, where)
    if isinstance(value, Mapping):
        return {
            key if type(key) is str else _key(key, where): _as_json(item, where, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple, AbstractSet)) or _is_lazy_sequence(value):
        items: Iterable[object] = value  # type: ignore[assignment]
        return [_as_json(item, where, depth + 1) for item in items]
    raise InvalidMessage(
        where, f"is a {type(value).__name__}: give it a serializer, or a value that JSON knows"
    )


def _is_lazy_sequence(value: object) -> bool:
    """A query set, a relation: it has an order, and is no text."""
    return (
        hasattr(value, "__iter__")
        and hasattr(value, "__len__")
        and not isinstance(value, (str, bytes, bytearray, memoryview))
    )


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


def _integer(value: object, where: str) -> int:
    number = int(value)  # type: ignore[call-overload]
    if number.bit_length() > _INT_BITS_MAX:
        raise InvalidMessage(where, "is an int of more than 64 bits: publish it as text")
    return int(number)


def _real(value: object, where: str) -> float:
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise InvalidMessage(where, "is NaN or infinite, which JSON does not know")
    return number


def _decimal(value: Decimal, where: str) -> str:
    if not value.is_finite():
        raise InvalidMessage(where, "is NaN or infinite, which JSON does not know")
    text = format(value, "f")
    return text if "." in text else f"{text}.0"


def _moment(value: dt.datetime, where: str) -> str:
    del where
    utc = value if value.tzinfo is None else value.astimezone(dt.UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='milliseconds')}Z"


def _enum(value: enum.Enum, where: str) -> object:
    return as_json(value.value, where)


_WRITERS: Final[dict[type, Callable[..., object]]] = {
    str: lambda value, _: value,
    bool: lambda value, _: value,
    type(None): lambda value, _: value,
    int: _integer,
    float: _real,
    Decimal: _decimal,
    dt.datetime: _moment,
    dt.date: lambda value, _: value.isoformat(),
    dt.time: lambda value, _: value.isoformat(timespec="milliseconds"),
    dt.timedelta: lambda value, _: int(value.total_seconds()),
    uuid.UUID: lambda value, _: str(value),
}
_BASES: Final[tuple[tuple[type, Callable[..., object]], ...]] = (
    (enum.Enum, _enum),
    (str, lambda value, _: str.__str__(value)),
    (int, _integer),
    (float, _real),
    (Decimal, _decimal),
    (dt.datetime, _moment),
    (dt.date, lambda value, _: value.isoformat()),
    (dt.time, lambda value, _: value.isoformat(timespec="milliseconds")),
    (dt.timedelta, lambda value, _: int(value.total_seconds())),
    (uuid.UUID, lambda value, _: str(value)),
)


def _writer_for(value: object) -> Callable[..., object] | None:
    """For a subclass of something that JSON knows: an IntEnum, a str of a template engine."""
    for base, write in _BASES:
        if isinstance(value, base):
            return write
    if type(value).__name__ == "__proxy__":  # a text of Django's that is translated late
        return lambda lazy, _: str(lazy)
    return None
