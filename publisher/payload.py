"""Compact JSON."""

from __future__ import annotations

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
        InvalidMessage: If a value is not serialisable: an unknown type, a key that is not a str,
            a lone surrogate, an integer beyond 64 bits, or more than 254 levels.
    """
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as error:
        raise InvalidMessage(field, f"cannot be written as JSON: {error}") from error
