"""JSON exactly as ``JSON.parse`` in a browser accepts it.

What the browser would refuse must never be sent: one bad document inside a packet makes every
client of the room close its connection, and recovery would send it again for ever.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Final

import orjson

MAX_DEPTH: Final = 1024
"""How deep brackets may be nested: the bound of orjson, the same on every Python."""

_MIN_INT64: Final = -(2**63)
_MAX_UINT64: Final = 2**64 - 1
_LONGEST_INT64: Final = 20
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def loads(document: bytes) -> Any:
    """Parse one JSON document.

    Args:
        document: UTF-8 without a byte order mark.

    Returns:
        The value. Integers beyond 64 bits become floats, as in JavaScript.

    Raises:
        ValueError: For everything that ``JSON.parse`` refuses (``NaN``, UTF-16, a byte order
            mark, trailing text), and for more than 1,024 nested brackets.
    """
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError as error:
        reason = str(error)
    # JavaScript accepts an escaped lone surrogate, orjson does not: it checks the document without
    # any surrogates, whose places are all that matters to it. 0.01 s for 1 MB.
    without, count = _SURROGATE.subn(rb"\\ufffd", document)
    if not count:
        raise ValueError(reason)
    orjson.loads(without)
    return _deeply(document.decode())


def _deeply(document: str) -> Any:
    """Read a document that is known to be right, and nested no deeper than ``MAX_DEPTH``."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + MAX_DEPTH)  # before Python 3.12 it counts for C, too
    try:
        return json.loads(document, parse_int=_narrow)
    finally:
        sys.setrecursionlimit(limit)


def _narrow(digits: str) -> float:
    """An integer of 64 bits, else the float that JavaScript makes of it."""
    if len(digits) <= _LONGEST_INT64:
        number = int(digits)
        if _MIN_INT64 <= number <= _MAX_UINT64:
            return number
    return float(digits)
