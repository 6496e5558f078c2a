"""A client's WebSocket messages that are too large, shortened before they are parsed.

The parser refuses them, and closes the connection: then the client connects again, and sends the same
again. Here the beginning of such a message is passed on, as a message that is complete, and the rest
is read past.

Source: RFC 6455, 5.2 for the layout of frames and 5.4 for fragments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

KEPT_BYTES: Final = 64 * 1024
"""How much of a message is passed on, if it is one frame: what it is about stands in front."""

MAX_PAST_BYTES: Final = 100 * 1024 * 1024
"""What is larger is left to the parser, which refuses it: as much as the ``ws`` of Node takes."""

_LEAST_BYTES: Final = 16 * 1024
"""What a fragment counts that is read past: without end they would take time, if no memory."""

_FIN: Final = 0x80
_MASKED: Final = 0x80
_SIZE: Final = 0x7F
_OPCODE: Final = 0x0F
_CONTROL: Final = 0x8
_HEAD: Final = 2
_MASK: Final = 4
_SMALL: Final = 125
_SHORT: Final = 126  # stands for a length of two bytes
_LENGTHS: Final = {_SHORT: 2, 127: 8}


def are_small(data: bytes) -> bool:
    """Whether all that has come are whole messages of one frame, each below 64 KiB: nearly always.

    0.4 µs for one; followed as below it takes 5.
    """
    at, end = 0, len(data)
    while at + _HEAD <= end:
        first, size = data[at], data[at + 1] - _MASKED
        if first < _FIN or not first & _OPCODE or not 0 <= size <= _SHORT:
            return False
        if size == _SHORT:
            if at + 2 * _HEAD > end:
                return False
            size = _HEAD + (data[at + 2] << 8 | data[at + 3])
        at += _HEAD + _MASK + size
    return at == end


class Piece(NamedTuple):
    """Bytes for the parser.

    Attributes:
        data: The bytes.
        ends_shortened: The only message that ends in them was shortened.
    """

    data: bytes
    ends_shortened: bool = False


class LargeMessages:
    """Follows the frames of one client.

    Args:
        max_bytes: How large a message may be.
    """

    __slots__ = (
        "_head",
        "_is_ending",
        "_is_past",
        "_left",
        "_max_bytes",
        "_passing",
        "_past",
        "_size",
    )

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._head = b""  # of a frame, as far as it has come
        self._left = 0  # bytes of the frame under way that have yet to come
        self._passing = 0  # of these, so many are passed on
        self._size = 0  # of the fragments before
        self._is_ending = False  # what is being passed on is the end of a shortened message
        self._is_past = False  # the fragments that follow are read past
        self._past = 0  # bytes

    @property
    def is_between(self) -> bool:
        """Whether the next byte begins a message, so that nobody need follow this client."""
        return not (self._left or self._head or self._size or self._is_past or self._is_ending)

    def take(self, data: bytes) -> Iterator[Piece]:
        """Take a client's next bytes; what comes back goes to the parser, in this order."""
        passed = bytearray()
        at, end = 0, len(data)
        while at < end:
            if self._left == 0:
                at = self._read_head(data, at)
                if not self._is_head_whole:
                    break
                head, self._head = self._frame(self._head), b""
                if self._is_ending and passed:
                    yield Piece(bytes(passed))
                    passed.clear()
                passed += head
            part = min(self._left, end - at)
            passed += data[at : at + min(self._passing, part)]
            self._passing = max(self._passing - part, 0)
            self._left -= part
            at += part
            if self._is_ending and self._passing == 0:
                self._is_ending = False
                yield Piece(bytes(passed), ends_shortened=True)
                passed.clear()
        if passed:
            yield Piece(bytes(passed))

    def _read_head(self, data: bytes, at: int) -> int:
        """Add bytes to the head of a frame. Return where its payload begins."""
        while at < len(data) and not self._is_head_whole:
            missing = _head_size(self._head) - len(self._head)
            self._head += data[at : at + missing]
            at = min(at + missing, len(data))
        return at

    @property
    def _is_head_whole(self) -> bool:
        return len(self._head) >= _HEAD and len(self._head) == _head_size(self._head)

    def _frame(self, head: bytes) -> bytes:
        """Begin with a frame. Return the head that is passed on; nothing if it is read past."""
        size = head[1] & _SIZE
        if size > _SMALL:
            size = int.from_bytes(head[_HEAD : _HEAD + _LENGTHS[size]])
        opcode, is_last = head[0] & _OPCODE, bool(head[0] & _FIN)
        self._left = self._passing = size
        if opcode & _CONTROL:
            return head
        if self._is_past and opcode == 0:
            return self._go_past(size, is_last=is_last)
        self._is_past = False
        before = self._size if opcode == 0 else 0
        if before + size <= self._max_bytes or before + size > MAX_PAST_BYTES:
            self._size = 0 if is_last else before + size
            return head
        self._is_ending, self._is_past, self._size = True, not is_last, 0
        self._passing = 0 if before else min(size, KEPT_BYTES)
        self._past = before + size
        return _with_size(head, self._passing)

    def _go_past(self, size: int, *, is_last: bool) -> bytes:
        """Another fragment of a message that was shortened."""
        self._past += max(size, _LEAST_BYTES)
        self._is_past, self._passing = not is_last, 0
        if self._past > MAX_PAST_BYTES:  # a head that the parser refuses
            return bytes((_FIN | 2, _MASKED | 127)) + self._past.to_bytes(8) + bytes(_MASK)
        return b""


def _head_size(head: bytes) -> int:
    """How long a frame's head is, as far as its first two bytes are here."""
    if len(head) < _HEAD:
        return _HEAD
    mask = _MASK if head[1] & _MASKED else 0
    return _HEAD + _LENGTHS.get(head[1] & _SIZE, 0) + mask


def _with_size(head: bytes, size: int) -> bytes:
    """The head of the last frame of a message, with another size."""
    mask = head[-_MASK:] if head[1] & _MASKED else b""
    return bytes((head[0] | _FIN, (head[1] & _MASKED) | 127)) + size.to_bytes(8) + mask
