"""Compact JSON."""

from __future__ import annotations

import contextlib
import json

import orjson

from publisher.errors import InvalidMessage


def payload(field: str, document: object) -> bytes:
    """Write a document as JSON in UTF-8, without blanks, keys in their given order.

    NaN and the infinities become ``null``, as in JavaScript's ``JSON.stringify``: finding them
    first would mean walking every document.

    Args:
        field: Argument to name if the document cannot be written.
        document: JSON values. What orjson knows besides (date-times, UUIDs, enums, dataclasses)
            is written its way.

    Raises:
        InvalidMessage: If a value is not serialisable: an unknown type, or a key that is not a
            str.
    """
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        if "key must be" not in str(error):
            # Integers beyond 64 bits, lone surrogates, more than 254 levels: JSON all the same.
            with contextlib.suppress(TypeError, ValueError, RecursionError):
                return json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        raise InvalidMessage(field, f"cannot be written as JSON: {error}") from error
