"""One request as ``Front`` has parsed it, and the handshake of a WebSocket."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

from websockets.utils import accept_key

if TYPE_CHECKING:
    from multidict import CIMultiDictProxy

_KEY_BYTES: Final = 16


class Request(NamedTuple):
    """One request.

    Attributes:
        method: Upper case.
        query: Query string, undecoded.
        headers: Case-insensitive.
        is_upgrade: The client asks for another protocol on this connection.
        body: Of a POST; else empty.
    """

    method: str
    query: str
    headers: CIMultiDictProxy[str]
    is_upgrade: bool
    body: bytes


def accept_websocket(request: Request) -> bytes | None:
    """The head of the answer to a WebSocket handshake, or None if it is none (RFC 6455, 4.2.1)."""
    headers = request.headers
    key = headers.get("Sec-WebSocket-Key", "")
    try:
        is_key = len(base64.b64decode(key, validate=True)) == _KEY_BYTES
    except (binascii.Error, ValueError):
        is_key = False
    is_websocket = request.method == "GET" and headers.get("Upgrade", "").lower() == "websocket"
    if not is_key or not is_websocket or headers.get("Sec-WebSocket-Version") != "13":
        return None
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
    )
