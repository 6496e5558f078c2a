"""A Socket.IO client over websocket only, with as little work per message as Python allows.

It masks with a key of zeros: a server unmasks all the same, and the client need not.
"""

from typing import Final

from tests.bench.client import BUFFER, Client, Unexpected
from tests.bench.records import ORIGIN, token

_TEXT: Final = 0x81
_LENGTH_16: Final = 126
_LENGTH_64: Final = 127
_CONNECT: Final = b"\x81\x82\0\0\0\x0040"
_OFFSET: Final = b'42["o'  # tells only where a client stands in the journal
_PONG: Final = b"\x81\x81\0\0\0\x003"
_UPGRADE: Final = (
    "GET /socket.io/?channel_token={token}&EIO=4&transport=websocket HTTP/1.1\r\n"
    "Host: 127.0.0.1:{port}\r\n"
    f"Origin: {ORIGIN}\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class FrameReader(Client):
    """Reads frames from the first byte on and asks for nothing: what the C loop needs."""

    __slots__ = ("_rest",)

    def start(self) -> None:
        self._rest = b""
        self._audience.connected(self)

    def readable(self) -> None:
        size = self._receive()
        if self._rest:
            data = self._rest + BUFFER[:size]
            self._frames(data, len(data))
        else:
            self._frames(BUFFER, size)

    def _frames(self, data: bytes | bytearray, size: int) -> None:
        """Act on each whole frame in ``data[:size]``; keep the rest."""
        start = 0
        while start < size:
            payload, end = _frame(data, start, size)
            if end > size:
                break
            if data[payload : payload + len(_OFFSET)] != _OFFSET:
                self._packet(data[payload], data[payload + 1] if end - payload > 1 else 0)
            start = end
        self._rest = bytes(data[start:size]) if start < size else b""

    def _packet(self, engine_type: int, socket_type: int) -> None:
        """Act on one packet, told apart by its first two characters."""
        if engine_type == ord("4") and socket_type == ord("2"):
            self._audience.event(self)
        elif engine_type == ord("2"):
            self._send(_PONG)
        elif engine_type == ord("0"):
            self._send(_CONNECT)
        elif engine_type == ord("4") and socket_type == ord("0"):
            self._audience.connected(self)
        else:
            raise Unexpected(chr(engine_type) + chr(socket_type))


class Websocket(FrameReader):
    """The whole way: upgrade request, CONNECT, then events."""

    __slots__ = ()

    def start(self) -> None:
        self._rest = b""
        self._pump.rewire(self._sock, self._upgrading)
        self._send(_UPGRADE.format(token=token(self.number), port=self.port).encode())

    def _upgrading(self) -> None:
        """Read the answer to the upgrade request, and the frames that came with it."""
        answer = self._rest + BUFFER[: self._receive()]
        head, blank_line, frames = answer.partition(b"\r\n\r\n")
        if not blank_line:
            self._rest = answer
            return
        if not head.startswith(b"HTTP/1.1 101"):
            raise Unexpected(head.decode())
        self._pump.rewire(self._sock, self.readable)
        self._frames(frames, len(frames))


def _frame(data: bytes | bytearray, start: int, size: int) -> tuple[int, int]:
    """Where the payload of the frame at ``start`` begins and ends.

    Returns:
        Two indices; the second is beyond ``size`` if the frame is not all there yet.
    """
    if data[start] != _TEXT:
        raise Unexpected(hex(data[start]))
    if size - start < 2:
        return start, size + 1
    length = data[start + 1]
    if length < _LENGTH_16:
        return start + 2, start + 2 + length
    if length == _LENGTH_64:
        raise Unexpected("a frame of 64 KiB or more")
    if size - start < 4:
        return start, size + 1
    return start + 4, start + 4 + (data[start + 2] << 8 | data[start + 3])
