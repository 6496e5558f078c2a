"""What can be told of a client's WebSocket frames without a parser.

Nearly all that a client says is short and comes alone, the answers to our Engine.IO pings above all:
as such it is read in 0.6 µs, where ``websockets.protocol`` takes 4 (docs/decisions/0015).

Source: RFC 6455, 5.2 for the layout and 5.3 for the mask.
"""

from __future__ import annotations

from typing import Final

WHOLE_TEXT: Final = 0x81
"""First byte of a text that is one frame: FIN bit and opcode 1."""
WHOLE_BINARY: Final = 0x82
"""The same of a binary message."""

LOST: Final = -1
"""Where the next frame begins is not known any more: a header was cut in two, or is no client's."""

_WHOLE: Final = frozenset({WHOLE_TEXT, WHOLE_BINARY})
_MASKED: Final = 0x80
_MASK: Final = 4
_HEAD: Final = 2 + _MASK
_SIZE_MAX: Final = 125  # longer ones have more bytes of length
_LENGTHS: Final = {126: 2, 127: 8}
_MASKS: Final = 32  # as often as it may have to be repeated


def short_message(data: bytes) -> bytes | None:
    """Unmask a message of at most 125 bytes that is one frame, and all of ``data``.

    Args:
        data: What a client has sent, from the first byte of a frame on.

    Returns:
        Its payload; None if the data is anything else.
    """
    size = len(data) - _HEAD
    if not 0 <= size <= _SIZE_MAX or data[1] != _MASKED | size or data[0] not in _WHOLE:
        return None
    mask = (data[2:_HEAD] * _MASKS)[:size]
    return (int.from_bytes(data[_HEAD:]) ^ int.from_bytes(mask)).to_bytes(size)


def missing_after(data: bytes, missing: int) -> int:
    """Find out how much of a frame has yet to come.

    Args:
        data: The next bytes of a client.
        missing: What was returned for those before; 0 at the beginning.

    Returns:
        Bytes, 0 if a frame begins with what comes next; or LOST.
    """
    if missing == LOST:
        return LOST
    at, end = missing, len(data)
    while at < end:
        if at + 2 > end or data[at + 1] < _MASKED:
            return LOST
        size = data[at + 1] - _MASKED
        head = at + 2 + _LENGTHS.get(size, 0)
        if head > end:
            return LOST
        if size > _SIZE_MAX:
            size = int.from_bytes(data[at + 2 : head])
        at = head + _MASK + size
    return at - end
