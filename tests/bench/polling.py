"""A Socket.IO client that only polls, over one keep-alive connection used in turn.

It always has one request under way: GET for a poll, POST for CONNECT and pongs. It asks for no
compression.
"""

import json
from typing import Final

from tests.bench.client import BUFFER, Client, Unexpected
from tests.bench.records import ORIGIN, token

_SEPARATOR: Final = b"\x1e"
_TARGET: Final = "/socket.io/?channel_token={token}&EIO=4&transport=polling"
_HEAD: Final = (
    "{method} {target} HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\n"
    f"Origin: {ORIGIN}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: */*\r\n"
    "Connection: keep-alive\r\n"
)
_BODY: Final = "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {length}\r\n\r\n{body}"


class Poller(Client):
    """Open, CONNECT, then one poll after the other.

    An event is reported when the next poll has been sent, so that whoever waits for all events
    also knows that every client is listening again.
    """

    __slots__ = ("_poll", "_pong", "_rest", "_unreported")

    def start(self) -> None:
        self._rest = b""
        self._unreported = 0
        self._poll = b""
        target = _TARGET.format(token=token(self.number))
        self._send(self._request("GET", target))

    def readable(self) -> None:
        response = self._rest + BUFFER[: self._receive()]
        body = _body(response)
        if body is None:
            self._rest = response
            return
        self._rest = b""
        if not self._poll:
            self._opened(body)
        elif body.lower() == b"ok":  # the answer to a POST; python-engineio shouts it
            self._next_poll()
        else:
            self._packets(body.split(_SEPARATOR))

    def _opened(self, body: bytes) -> None:
        """Prepare all later requests, and send CONNECT."""
        sid = json.loads(body[1:])["sid"]
        target = _TARGET.format(token=token(self.number)) + "&sid=" + sid
        self._poll = self._request("GET", target)
        self._pong = self._request("POST", target, "3")
        self._send(self._request("POST", target, "40"))

    def _packets(self, packets: list[bytes]) -> None:
        pinged = False
        for packet in packets:
            if packet.startswith(b'42["offset"'):
                continue
            if packet.startswith(b"42"):
                self._unreported += 1
            elif packet.startswith(b"40"):
                self._audience.connected(self)
            elif packet == b"2":
                pinged = True
            else:
                raise Unexpected(packet)
        if pinged:
            self._send(self._pong)
        else:
            self._next_poll()

    def _next_poll(self) -> None:
        self._send(self._poll)
        events, self._unreported = self._unreported, 0
        for _ in range(events):
            self._audience.event(self)

    def _request(self, method: str, target: str, body: str = "") -> bytes:
        head = _HEAD.format(method=method, target=target, port=self.port)
        end = _BODY.format(length=len(body), body=body) if body else "\r\n"
        return (head + end).encode()


def _body(response: bytes) -> bytes | None:
    """The body of a response, or None as long as it is not all there."""
    head, blank_line, body = response.partition(b"\r\n\r\n")
    if not blank_line:
        return None
    _before, found, after = head.lower().partition(b"\r\ncontent-length:")
    if not found or not head.startswith(b"HTTP/1.1 200"):
        raise Unexpected(head)
    length = int(after.partition(b"\r\n")[0])
    return body if len(body) >= length else None
