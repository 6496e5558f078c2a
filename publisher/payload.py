"""Compact JSON."""

from __future__ import annotations

import contextlib
import json
import math
from typing import TYPE_CHECKING, Final

import orjson

from publisher.errors import InvalidMessage
from publisher.ids import INT_MAX, INT_MIN
from publisher.values import as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_AS_RAILS: Final = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_PLAIN: Final = frozenset({str, bool, int, type(None)})
"""Nothing is in them."""


def payload(field: str, document: object, *, is_finite: bool = False) -> bytes:
    """Write a document as JSON in UTF-8, without blanks, keys in their given order.

    Args:
        field: Argument to name if the document cannot be written.
        document: JSON values, and what ``publisher.values`` writes as Rails does.
        is_finite: No number of it is NaN or infinite: that was looked at before.

    Raises:
        InvalidMessage: If a value cannot be written: an object (nobody has said which of its
            attributes are for others), NaN, an infinity, an int beyond 64 bits. It is named:
            ``records.polls[0].score``.
    """

    def write(value: object) -> object:
        return as_json(value, field)

    try:
        body = orjson.dumps(document, write, _AS_RAILS)
    except orjson.JSONEncodeError as error:
        if isinstance(error.__cause__, InvalidMessage):
            raise _located(field, document, error.__cause__) from None
        if "key must be" in str(error):
            return payload(field, as_json(document, field))
        return _written_slowly(field, document, write, error)
    # orjson writes null for NaN.
    if not is_finite and b"null" in body and not _is_finite(document):
        _refuse_numbers(field, document)
    return body


def _located(field: str, document: object, error: InvalidMessage) -> InvalidMessage:
    """The same error with its place, which orjson does not tell."""
    try:
        as_json(document, field)
    except InvalidMessage as found:
        if found.problem == error.problem:  # else it is about a generator, used up by now
            return found
    return error


def _written_slowly(
    field: str, document: object, write: Callable[[object], object], error: Exception
) -> bytes:
    """Lone surrogates, more than 254 levels: JSON all the same."""
    body = None
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        text = json.dumps(document, separators=(",", ":"), allow_nan=False, default=write)
        body = text.encode()
    if body is None:
        raise InvalidMessage(field, f"cannot be written as JSON: {error}") from error
    _refuse_numbers(field, document)  # which ends: the document is not in itself
    return body


def _is_finite(document: object) -> bool:
    """Whether a document has no NaN and no infinity: 5 µs for a record of 2 KB."""
    rest: list[Iterable[object]] = [[document]]
    while rest:
        for item in rest.pop():
            if type(item) in _PLAIN or not item:
                continue
            if isinstance(item, dict):
                rest.append(item.values())
            elif isinstance(item, (list, tuple)):
                rest.append(item)
            elif isinstance(item, float) and not math.isfinite(item):
                return False
    return True


def _refuse_numbers(field: str, document: object) -> None:
    """Name a number that JavaScript could not read.

    Args:
        field: Name of the document.
        document: JSON values, not nested in themselves.
    """
    rest = [(field, document)]
    while rest:
        where, value = rest.pop()
        if isinstance(value, dict):
            rest += [(f"{where}.{key}", item) for key, item in value.items()]
        elif isinstance(value, (list, tuple)):
            rest += [(f"{where}[{place}]", item) for place, item in enumerate(value)]
        elif isinstance(value, float) and not math.isfinite(value):
            raise InvalidMessage(where, "is NaN or infinite, which JSON does not know")
        elif isinstance(value, int) and not INT_MIN <= value <= INT_MAX:
            raise InvalidMessage(where, "is an int of more than 64 bits: publish it as text")
