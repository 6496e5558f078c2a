"""HTTP of the Engine.IO endpoint as bytes: what it answers, and how a query is read."""

from __future__ import annotations

import enum
import zlib
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_plus

import orjson

from channel_server.core import packets

if TYPE_CHECKING:
    from channel_server.engine.options import Cors

TEXT: Final = b"text/plain; charset=UTF-8"
HTML: Final = b"text/html"
JSON: Final = b"application/json"

_ZIP_FROM_BYTES: Final = 1024
_GZIP: Final = 31  # zlib: 15 bits of window, and 16 for a gzip header

_REASONS: Final = {
    200: b"200 OK",
    204: b"204 No Content",
    400: b"400 Bad Request",
    403: b"403 Forbidden",
    413: b"413 Payload Too Large",
    415: b"415 Unsupported Media Type",
    429: b"429 Too Many Requests",
    431: b"431 Request Header Fields Too Large",
    503: b"503 Service Unavailable",
}


class Refusal(enum.Enum):
    """Why a request is not served: code, text and status as engine.io has them.

    Source: engine.io 6.6, lib/server.ts, ``errors`` and ``abortRequest``.
    """

    TRANSPORT_UNKNOWN = (0, "Transport unknown", 400)
    SESSION_UNKNOWN = (1, "Session ID unknown", 400)
    BAD_HANDSHAKE_METHOD = (2, "Bad handshake method", 400)
    BAD_REQUEST = (3, "Bad request", 400)
    FORBIDDEN = (4, "Forbidden", 403)
    UNSUPPORTED_PROTOCOL = (5, "Unsupported protocol version", 400)

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[2]

    @property
    def body(self) -> bytes:
        """The JSON that engine.io answers."""
        code, text, _ = self.value
        return orjson.dumps({"code": code, "message": text})


class Replies:
    """Builds complete responses, all with the CORS headers of this server.

    Args:
        cors: The origin that is sent to every caller, as the Node program does.

    Attributes:
        noop: Ends a poll; the client goes on elsewhere.
        close: Ends a poll; the session is over.
        ok: Answers a POST.
    """

    __slots__ = ("_cors", "close", "noop", "ok")

    def __init__(self, cors: Cors) -> None:
        if cors.origin is None:
            self._cors = b"Access-Control-Allow-Origin: *\r\n"
        else:
            self._cors = (
                b"Access-Control-Allow-Origin: "
                + cors.origin.encode()
                + b"\r\nVary: Origin\r\nAccess-Control-Allow-Credentials: true\r\n"
            )

        self.noop = self.build(200, TEXT, packets.NOOP.encode())
        self.close = self.build(200, TEXT, packets.CLOSE.encode())
        self.ok = self.build(200, HTML, b"ok")

    def build(
        self, status: int, kind: bytes, body: bytes, *, close: bool = False, coding: bytes = b""
    ) -> bytes:
        """One response with a body, headers included.

        Args:
            status: One of 200, 400, 403, 413, 415, 429, 431, 503.
            kind: Content type.
            body: Content.
            close: Say that the connection ends with this response.
            coding: ``Content-Encoding`` of the body; empty for none.
        """
        return b"".join(
            (
                b"HTTP/1.1 ",
                _REASONS[status],
                b"\r\nContent-Type: ",
                kind,
                b"\r\nContent-Length: ",
                str(len(body)).encode(),
                b"\r\nCache-Control: no-store\r\n",
                b"Connection: close\r\n" if close else b"",
                b"Content-Encoding: %b\r\nVary: Accept-Encoding\r\n" % coding if coding else b"",
                self._cors,
                b"\r\n",
                body,
            )
        )

    def packets(self, body: bytes, *, zipped: bool) -> bytes:
        """The answer to a poll.

        Args:
            body: Payload.
            zipped: The client takes gzip. Small bodies are sent as they are, like in Node
                (engine.io, ``httpCompression.threshold``).
        """
        if zipped and len(body) >= _ZIP_FROM_BYTES:
            return self.build(200, TEXT, zlib.compress(body, wbits=_GZIP), coding=b"gzip")
        return self.build(200, TEXT, body)

    def preflight(self, requested_headers: str) -> bytes:
        """Answer to ``OPTIONS``.

        Args:
            requested_headers: ``Access-Control-Request-Headers`` of the browser, or "".
        """
        allowed = b""
        if requested_headers:
            allowed = (
                b"Access-Control-Allow-Headers: "
                + requested_headers.encode("ascii", "ignore")
                + b"\r\n"
            )
        return b"".join(
            (
                b"HTTP/1.1 204 No Content\r\n",
                self._cors,
                b"Access-Control-Allow-Methods: GET,HEAD,PUT,PATCH,POST,DELETE\r\n",
                allowed,
                b"Content-Length: 0\r\n\r\n",
            )
        )


def with_connection(response: bytes, *, is_last: bool) -> bytes:
    """Say in a response whether the connection ends with it (RFC 9112, 9.3 and 9.6).

    Args:
        response: Complete.
        is_last: It does. If not, a client of HTTP/1.0 has asked to go on.
    """
    status, end, rest = response.partition(b"\r\n")
    header = b"Connection: close" if is_last else b"Connection: keep-alive"
    return b"".join((status, end, header, end, rest))


def read_query(text: str) -> dict[str, str]:
    """Read a query string; of a repeated name the last value counts.

    ``urllib.parse.parse_qsl`` does the same in 3.9 µs instead of 0.9 (the five parameters of a
    poll; docs/decisions/0001).
    """
    query = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        query[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return query
