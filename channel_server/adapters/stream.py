"""The journal as a node reads it: every entry once, in ascending order, from where it stands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NoReturn

import msgspec

from channel_server.adapters.line import RequestLine, encode, wait
from channel_server.adapters.reconnection import stay_connected
from channel_server.adapters.refusals import ELSEWHERE, code_of, is_refusal
from channel_server.core.offsets import id_of, position_of
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract import CONTROL, RECORDS, SYSTEM_NOTICE
from publisher.contract.journal import JOURNAL

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_server.adapters.pauses import Pauses

_KEY: Final = JOURNAL.encode()
_UNBLOCKED: Final = "UNBLOCKED"
_COUNT: Final = b"128"
_PAUSE_S: Final = 0.5
"""Messages wait for it."""

_BLOCK_MS: Final = 600
"""A sign of life of the connection, while there is nothing to read: before the second is over that a message waits."""

_NAMES: Final = [b"k", b"c", b"d", b"n"]
_FIELDS: Final = 2 * len(_NAMES)
_DIGITS: Final = 19
_CHANNELS: Final = {name.encode(): name for name in (RECORDS, SYSTEM_NOTICE, CONTROL)}
_TURN_BYTES: Final = 256 * 1024
"""Bytes of fan-out after which the loop gets a turn: about 2 ms of work."""


class StreamEntry(msgspec.Struct, gc=False):  # made in 0.1 µs, a named tuple in 0.4
    """One entry as Redis has it.

    Attributes:
        position: Its id, see ``core.offsets``.
        stream_id: The same as Redis writes it.
        kind: As in ``publisher.contract.journal``; empty if it has none.
        channel: Redis channel.
        data: Payload.
        number: One more than that of the entry before it; 0 if it has none.
    """

    position: int
    stream_id: bytes
    kind: bytes
    channel: str
    data: bytes
    number: int


class Stream:
    """Reads the journal for as long as the node runs.

    Args:
        url: Redis.
        begin: Called whenever a connection stands; returns the position to read on from. May
            raise ``RedisLost`` or ``RedisRefused``.
        take: Called with every entry; returns how many bytes it has written to clients. Must
            not raise.
        progress: Called after ``begin``, after some entries have been taken, and now and then
            while there are none.
        is_read: Called whenever Redis has let us read.
        is_refused: Called with Redis' error code when it does not.
        probe_s: Redis must give a sign of life this often.
        pauses: Between attempts to connect; shared by all that go to this Redis.
    """

    def __init__(
        self,
        url: str,
        *,
        begin: Callable[[], Awaitable[int]],
        take: Callable[[StreamEntry], int],
        progress: Callable[[], None],
        is_read: Callable[[], None],
        is_refused: Callable[[str], None],
        probe_s: float,
        pauses: Pauses,
    ) -> None:
        self._url = url
        self._begin = begin
        self._take = take
        self._progress = progress
        self._is_read = is_read
        self._is_refused = is_refused
        self._block_ms = b"%d" % min(_BLOCK_MS, round(probe_s * 500))
        self._probe_s = probe_s
        self._pauses = pauses
        self._answer: asyncio.Future[Any] | None = None
        self._line: RequestLine | None = None
        self._moves = 0

    async def run(self) -> NoReturn:
        """Read until cancelled; reconnects by itself."""
        await stay_connected(
            self._connect,
            self._read_on,
            purpose="journal",
            pauses=self._pauses,
            at_most_s=_PAUSE_S,
        )

    async def _connect(self) -> RequestLine:
        moves = self._moves
        line = await RequestLine.to(self._url, self._probe_s)
        if moves != self._moves:  # it may lead to the old one
            line.close(ELSEWHERE)
            raise RedisLost(ELSEWHERE)
        return line

    def leave(self) -> None:
        """The primary is another one: read on there."""
        self._moves += 1
        if self._line is not None:
            self._line.close(ELSEWHERE)

    async def _read_on(self, line: RequestLine) -> str:
        self._line = line
        line.lost.add_done_callback(self._is_lost)
        try:
            position = await self._begin()
            self._progress()
            while True:
                found = await self._ask(line, position)
                self._is_read()
                if found:
                    position = await self._take_all(found)
                self._progress()
        except RedisRefused as error:
            self._is_refused(error.code)
            return str(error)
        except RedisLost as error:
            return error.reason
        finally:
            self._line = None
            line.close("stopped")

    async def _ask(self, line: RequestLine, position: int) -> list[Any]:
        """Wait for up to 128 entries after a position.

        Raises:
            RedisLost: If the connection is lost, or silent for too long.
            RedisRefused: If the stream cannot be read.
        """
        command = encode(
            *(b"XREAD", b"COUNT", _COUNT, b"BLOCK", self._block_ms),
            *(b"STREAMS", _KEY, id_of(position).encode()),
        )
        answer = self._answer = asyncio.get_running_loop().create_future()
        line.request(command, lambda reply: None if answer.done() else answer.set_result(reply))
        if line.lost.done():
            raise RedisLost(line.lost.result())
        try:
            reply = await self._answered(line, answer)
        finally:
            self._answer = None
        if is_refusal(reply) and code_of(reply) == _UNBLOCKED:
            raise RedisLost("this Redis has become a replica, or a primary")
        if is_refusal(reply):
            raise RedisRefused(code_of(reply))
        return reply[0][1] if reply else []

    async def _answered(self, line: RequestLine, answer: asyncio.Future[Any]) -> Any:
        """Wait for an answer. A large one may take longer: as long as something comes, wait."""
        line.has_spoken = True
        while not answer.done():
            if not line.has_spoken:
                raise RedisLost("silent")
            line.has_spoken = False
            await wait({answer}, self._probe_s)
        return answer.result()

    def _is_lost(self, lost: asyncio.Future[str]) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(RedisLost(lost.result()))

    async def _take_all(self, found: list[Any]) -> int:
        """Hand entries on, with a turn for others after every 256 KiB of fan-out."""
        budget, position = _TURN_BYTES, 0
        for stream_id, fields in found:
            position = position_of(stream_id)
            budget -= self._take(_entry(position, stream_id, fields))
            if budget <= 0:
                budget = _TURN_BYTES
                await asyncio.sleep(0)
        return position


def _entry(position: int, stream_id: bytes, fields: list[bytes] | None) -> StreamEntry:
    """Read the fields of an entry: whatever somebody has put there."""
    if fields and len(fields) == _FIELDS and fields[::2] == _NAMES and fields[3] in _CHANNELS:
        _, kind, _, channel, _, data, _, number = fields
        return StreamEntry(position, stream_id, kind, _CHANNELS[channel], data, _number(number))
    named = dict(zip(fields[::2], fields[1::2], strict=False)) if fields else {}
    name = named.get(b"c", b"").decode(errors="replace")
    kind, data, number = (named.get(field, b"") for field in (b"k", b"d", b"n"))
    return StreamEntry(position, stream_id, kind, name, data, _number(number))


def _number(digits: bytes) -> int:
    return int(digits) if digits.isdigit() and len(digits) <= _DIGITS else 0
