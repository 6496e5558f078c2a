"""JSON exactly as ``JSON.parse`` in a browser accepts it.

What the browser would refuse must never be sent: one bad document inside a packet makes every
client of the room close its connection, and recovery would send it again for ever.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

import orjson

_MIN_INT64: Final = -(2**63)
_MAX_UINT64: Final = 2**64 - 1
_LONGEST_INT64: Final = 20
_LONE_SURROGATE_LIKELY: Final = re.compile(rb"\\u[dD][89a-fA-F]")


def loads(document: bytes) -> Any:
    """Parse one JSON document.

    Args:
        document: UTF-8 without a byte order mark.

    Returns:
        The value. Integers beyond 64 bits become floats, as in JavaScript.

    Raises:
        ValueError: For everything that ``JSON.parse`` refuses (``NaN``, UTF-16, a byte order
            mark, trailing text), and for more than about 1,000 nested brackets.
    """
    try:
        return orjson.loads(document)
    except orjson.JSONDecodeError as error:
        # JavaScript accepts an escaped lone surrogate, orjson does not. Only then the slower
        # standard module is asked, which by itself would let NaN and nesting bombs through.
        if not _LONE_SURROGATE_LIKELY.search(document):
            raise ValueError(str(error)) from None
    try:
        return json.loads(document.decode(), parse_constant=_refuse, parse_int=_narrow)
    except RecursionError:
        reason = "nested too deeply"
    raise ValueError(reason)


def _narrow(digits: str) -> float:
    """An integer of 64 bits, else the float that JavaScript makes of it."""
    if len(digits) <= _LONGEST_INT64:
        number = int(digits)
        if _MIN_INT64 <= number <= _MAX_UINT64:
            return number
    return float(digits)


def _refuse(constant: str) -> NoReturn:
    reason = f"{constant} is not JSON"
    raise ValueError(reason)
