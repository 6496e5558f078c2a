"""One client reads far less than its room gets."""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from typing import TYPE_CHECKING, Final

from tests.chaos.kernel import queued_bytes
from tests.chaos.outcome import Check, close
from tests.chaos.publishers import body, plain_text
from tests.chaos.users import ROOMS, group_of, numbers, token_of
from tests.chaos.websocket import CONNECT, upgrade_request

if TYPE_CHECKING:
    from typing import Self

    from tests.chaos.node import Node
    from tests.chaos.outcome import Outcome
    from tests.chaos.stage import Stage

_ROOM: Final = ROOMS[0]
_PADDING: Final = 20_000
_FRAME_BYTES: Final = len(plain_text(_ROOM, body(1000, "plain", 1000, _PADDING))) + 50
_RECEIVE_BUFFER: Final = 16 * 1024
_READ_BYTES: Final = 205
_READ_EVERY_S: Final = 0.1  # 2 KB/s
_GIVE_UP_S: Final = 60.0
_PATIENCE_S: Final = 1.0
_SPARE_BYTES: Final = 32 * 1024**2


async def hung_up(stage: Stage) -> Outcome:
    """It is hung up, in time; nobody else is, and memory stays bounded."""
    (node,) = await stage.set_up(cuts=False)
    before = node.rss_bytes
    async with asyncio.timeout(_GIVE_UP_S):
        with await _SlowReader.connect(node.port) as reader:
            await stage.publish(
                "plain", per_s=stage.plan.flood_per_s, rooms=[_ROOM], padding=_PADDING
            )
            took_s, peak = await _watch(stage, node, reader)
    growth = peak - before
    limit = stage.plan.write_limit_kib * 1024
    tally = await stage.finish()
    return close(
        tally,
        Check(
            f"hung up {took_s:.1f} s past the limit",
            took_s <= stage.plan.write_s + _PATIENCE_S,
            is_timing=True,
        ),
        Check(f"{tally.hung_up} others hung up", tally.hung_up == 0),
        Check(f"memory +{growth / 1024**2:.0f} MB", growth < 8 * limit + _SPARE_BYTES),
        twice=0,
    )


async def _watch(stage: Stage, node: Node, reader: _SlowReader) -> tuple[float, int]:
    """Read slowly until hung up.

    Returns:
        Seconds from passing the limit to the hang-up, and the peak of the node's memory in bytes.
    """
    loop = asyncio.get_running_loop()
    limit = stage.plan.write_limit_kib * 1024
    peak = 0
    passed_at: float | None = None
    while (queued := queued_bytes(node.port, reader.port)) is not None:
        backlog = len(stage.ledger.published) * _FRAME_BYTES - queued - reader.read_bytes
        if passed_at is None and backlog > limit:
            passed_at = loop.time()
        peak = max(peak, node.rss_bytes)
        await asyncio.sleep(_READ_EVERY_S)
        reader.read()
    return math.inf if passed_at is None else loop.time() - passed_at, peak


class _SlowReader:
    """A client with a small receive buffer. A context manager: leaving it closes the socket.

    Attributes:
        port: Its own TCP port.
        read_bytes: How much it has read so far.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.port = sock.getsockname()[1]
        self.read_bytes = 0
        self._sock = sock

    @classmethod
    async def connect(cls, port: int) -> Self:
        """Join ``_ROOM`` with a token that another client has, too."""
        loop = asyncio.get_running_loop()
        sock = socket.socket()
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        number = next(n for n in numbers(10) if f"group-{group_of(n)}" == _ROOM)
        await loop.sock_sendall(sock, upgrade_request(port, token_of(number)))
        received = b""
        while b"pingInterval" not in received:
            received += await loop.sock_recv(sock, 4096)
        await loop.sock_sendall(sock, CONNECT)
        while b"40{" not in received:
            received += await loop.sock_recv(sock, 4096)
        return cls(sock)

    def read(self) -> None:
        """Read a little of what there is."""
        with contextlib.suppress(OSError):
            self.read_bytes += len(self._sock.recv(_READ_BYTES))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()
