"""The part of a message that we read: its room. The rest is only checked.

Decoding a record of 2 KB costs orjson 2.2 µs, most of them for objects that nobody looks at;
msgspec checks the same bytes in 1.0 (docs/decisions/0005).
"""

from __future__ import annotations

import sys
from typing import Final

import msgspec

from channel_server.core import strict_json

# CPython 3.11 ends msgspec's recursion before 1,000 levels, and the slower way decides. From 3.12
# on that depends on the version; then brackets are counted, which costs 1.3 µs for 2 KB.
_MUST_COUNT: Final[bool] = sys.version_info >= (3, 12)


class _Envelope(msgspec.Struct, gc=False):
    room: object = None


_decode = msgspec.json.Decoder(_Envelope).decode


def room_of(document: bytes) -> object:
    """Read ``room`` from a JSON object.

    Args:
        document: UTF-8 without a byte order mark.

    Returns:
        Whatever JSON value it is; None if it is not there.

    Raises:
        ValueError: If ``JSON.parse`` would refuse the document, if it is not an object, or if more
            than 1,024 brackets are nested.
    """
    try:
        document.decode()  # msgspec does not look into the strings that it skips
        room = _decode(document).room
    except (msgspec.DecodeError, RecursionError):
        # Wrong, or an escaped lone surrogate, which JavaScript accepts.
        return _slowly(document)
    if _MUST_COUNT and document.count(b"[") + document.count(b"{") > strict_json.MAX_DEPTH:
        return _slowly(document)
    return room


def _slowly(document: bytes) -> object:
    value = strict_json.loads(document)
    if isinstance(value, dict):
        return value.get("room")
    reason = "not a JSON object"
    raise ValueError(reason)
