"""Numbers, bytes and strings as lib0 encodes them, with bounds.

Source: lib0 0.2, encoding.js and decoding.js. A number is little-endian in groups of seven bits,
bit 7 says that more follow, and it has at most 53 bits. Bytes and strings are preceded by their
length in bytes.
"""

from __future__ import annotations

from typing import Final

from channel_server.errors import MalformedFrame

_MAX_SAFE_INTEGER: Final = 2**53 - 1
_MORE: Final = 0x80
_LOW: Final = 0x7F
_BITS: Final = 7


class Reader:
    """Reads one value after the other.

    Args:
        data: What to read; nothing of it is copied before it is read.

    Every method raises ``MalformedFrame`` if the data ends too early or is not what it should be.
    """

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many bytes are left to read."""
        return len(self._data) - self._at

    def peek(self) -> int:
        """The next byte, which is still to be read; -1 at the end."""
        return self._data[self._at] if self._at < len(self._data) else -1

    def uint(self) -> int:
        """A number from 0 to 2**53 - 1."""
        data, at = self._data, self._at
        value = shift = 0
        while True:
            if at >= len(data):
                raise MalformedFrame("ends in a number")
            byte = data[at]
            at += 1
            value |= (byte & _LOW) << shift
            if value > _MAX_SAFE_INTEGER:
                raise MalformedFrame("a number is too large")
            if byte < _MORE:
                break
            shift += _BITS
            if shift > 8 * _BITS:
                raise MalformedFrame("a number is too long")
        self._at = at
        return value

    def byte(self) -> int:
        """A number from 0 to 255."""
        at = self._at
        if at >= len(self._data):
            raise MalformedFrame("ends in a byte")
        self._at = at + 1
        return self._data[at]

    def buffer(self) -> bytes:
        """Bytes after their length."""
        size = self.uint()
        start = self._at
        end = start + size
        if end > len(self._data):
            raise MalformedFrame("ends in the middle")
        self._at = end
        return self._data[start:end]

    def pass_number(self) -> None:
        """Pass over a number, signed or not, of at most ten bytes."""
        for _ in range(10):
            if self.byte() < _MORE:
                return
        raise MalformedFrame("a number is too long")

    def skip(self, size: int) -> None:
        """Pass over bytes."""
        self._at += size
        if self._at > len(self._data):
            raise MalformedFrame("ends in the middle")

    def string(self) -> str:
        """Text after its length."""
        try:
            return self.buffer().decode()
        except UnicodeDecodeError:
            raise MalformedFrame("text is not UTF-8") from None


def uint(value: int) -> bytes:
    """Encode a number from 0 to 2**53 - 1."""
    if value <= _LOW:
        return value.to_bytes(1, "big")
    out = bytearray()
    while value > _LOW:
        out.append(value & _LOW | _MORE)
        value >>= _BITS
    out.append(value)
    return bytes(out)


def buffer(data: bytes) -> bytes:
    """Encode bytes, with their length before them."""
    return uint(len(data)) + data


def string(text: str) -> bytes:
    """Encode text, with its length before it."""
    return buffer(text.encode())
