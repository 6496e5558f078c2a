"""Server-side WebSocket frames as bytes that are ready to write.

Source: RFC 6455, 5.2 for the layout and 5.1 for "a server MUST NOT mask".
"""

from __future__ import annotations

from typing import Final

_FIN_TEXT: Final = b"\x81"  # FIN bit and opcode 1
_FIN_BINARY: Final = b"\x82"  # FIN bit and opcode 2
_LEN_16: Final = b"\x7e"  # 126: two length bytes follow
_LEN_64: Final = b"\x7f"  # 127: eight length bytes follow
_LEN_7_MAX: Final = 125
_HEADER_SIZES: Final = {_LEN_16: 4, _LEN_64: 10}
_LEN_16_MAX: Final = 0xFFFF


def text_frame(head: bytes, body: bytes = b"", tail: bytes = b"") -> bytes:
    """Wrap a payload in one unmasked text frame.

    Args:
        head: The payload, UTF-8 of 0 to 2**63 - 1 bytes, or its first piece. Not checked.
        body: The next piece; three pieces spare the caller a copy of the payload.
        tail: The last piece.

    Returns:
        A header of 2, 4 or 10 bytes, then the payload. The same object can be written to every
        socket that negotiated no extension.
    """
    length = _length(len(head) + len(body) + len(tail))
    return b"".join((_FIN_TEXT, length, head, body, tail))


def binary_frame(payload: bytes) -> bytes:
    """Wrap a payload in one unmasked binary frame; otherwise like ``text_frame``."""
    return b"".join((_FIN_BINARY, _length(len(payload)), payload))


def is_binary(frame: bytes) -> bool:
    """Tell a frame of ``binary_frame`` from one of ``text_frame``."""
    return frame.startswith(_FIN_BINARY)


def payload_of(frame: bytes) -> bytes:
    """Return what was wrapped by ``text_frame`` or ``binary_frame``."""
    return frame[_HEADER_SIZES.get(frame[1:2], 2) :]


def _length(size: int) -> bytes:
    if size <= _LEN_7_MAX:
        return size.to_bytes(1, "big")
    if size <= _LEN_16_MAX:
        return _LEN_16 + size.to_bytes(2, "big")
    return _LEN_64 + size.to_bytes(8, "big")
