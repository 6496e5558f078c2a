"""Commands to Redis and their answers, all on one pipelined connection that is kept up."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.adapters.line import WRITE, RequestLine, encode, wait
from channel_server.adapters.reconnection import stay_connected
from channel_server.adapters.refusals import ELSEWHERE, code_of, is_refusal
from channel_server.adapters.sentinels import place_of
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract.redis_url import read_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.adapters.pauses import Pauses
    from channel_server.adapters.script import Script


_WRONG_HERE: Final = frozenset({"READONLY", "MOVED"})
"""This is a replica by now, or our keys are at another node of the cluster."""


class Commands:
    """Sends commands in order; what was sent on a connection that is lost stays unanswered.

    A Redis that has become a replica, or has given our slot to another node, is left as soon as the
    URL leads to one that takes our writes. Until then it is kept: it may be what was named. A primary
    is left as well when Sentinels name another one.

    Args:
        url: Redis.
        probe_s: Redis must give a sign of life this often.
        pauses: Between attempts to connect; shared by all that go to this Redis.
        purpose: For the log.

    Attributes:
        connections: How many connections there have been; tells one from the next.
        why_not: Why there is no connection; "" if there is one, or none was tried yet.
        connected: Called with every new connection that stands.
        moved: Called when our keys are at another Redis from now on.
        has_connected: Set when the first one does.
    """

    def __init__(
        self, url: str, *, probe_s: float, pauses: Pauses, purpose: str = "commands"
    ) -> None:
        self._url = url
        self._purpose = purpose
        self._probe_s = probe_s
        self._pauses = pauses
        self._line: RequestLine | None = None
        self.connections = 0
        self.why_not = ""
        self.connected: list[Callable[[], None]] = []
        self.moved: list[Callable[[], None]] = []
        self._is_wrong = False
        self._doubt: asyncio.Future[None] | None = None
        self.has_connected = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._line is not None

    async def run(self) -> NoReturn:
        """Keep the connection up until cancelled."""
        await stay_connected(self._connect, self._use, purpose=self._purpose, pauses=self._pauses)

    def send(self, command: bytes, *answers: Callable[[Any], None]) -> bool:
        """Send a command, or several in one piece.

        Args:
            command: Encoded.
            answers: Called with the reply (bytes, int, list, None, or a ``hiredis.ReplyError``),
                one for each command; never, if the connection is lost first.

        Returns:
            False if there is no connection: nothing was sent.
        """
        if self._line is None:
            return False
        self._line.request(command, *answers)
        return True

    async def execute(self, command: bytes, *, within_s: float) -> Any:
        """Send a command and wait for its answer.

        Raises:
            RedisLost: If there is no connection, or no answer in time.
            RedisRefused: If the answer is an error.
        """
        if self._line is None:
            raise RedisLost("no connection")
        try:
            return await self._line.execute(command, within_s=within_s)
        except RedisRefused as error:
            if error.code in _WRONG_HERE:
                self._is_wrong_here()
            raise

    async def run_script(
        self,
        script: Script,
        keys: tuple[bytes, ...],
        arguments: tuple[bytes, ...],
        within_s: float,
    ) -> Any:
        """Run a script and wait for what it returns. Raises what ``execute`` does."""
        try:
            return await self.execute(script.by_name(keys, arguments), within_s=within_s)
        except RedisRefused as error:
            if error.code != "NOSCRIPT":
                raise
        return await self.execute(script.in_full(keys, arguments), within_s=within_s)

    async def flush(self) -> None:
        """Return when Redis has executed what was sent; after a second, or a loss, at once."""
        with contextlib.suppress(RedisLost, RedisRefused):
            await self.execute(encode(b"PING"), within_s=1.0)

    def give_up(self, reason: str) -> None:
        """Drop the connection, so that the next one is tried."""
        if self._line is not None:
            self._line.close(reason)

    async def _connect(self) -> RequestLine:
        try:
            return await RequestLine.to(self._url, self._probe_s)
        except RedisLost as error:
            self.why_not = error.reason
            raise

    async def _use(self, line: RequestLine) -> str:
        self._line = line
        self.why_not = ""
        self.connections += 1
        self.has_connected.set()
        for tell in self.connected:
            tell()
        try:
            self.why_not = await self._watch(line)
            return self.why_not
        finally:
            self._line = None
            line.close("stopped")

    async def _watch(self, line: RequestLine) -> str:
        """Return why a connection was lost; drop one that is silent, or leads to a replica."""
        while not line.lost.done():
            line.has_spoken = False
            line.request(WRITE, self._answered)
            self._doubt = asyncio.get_running_loop().create_future()
            ends: set[asyncio.Future[Any]] = {line.lost, self._doubt}
            await wait(ends, self._probe_s)
            if not line.has_spoken:
                line.close("silent")
            elif self._is_wrong and await self._is_primary_there():
                line.close(ELSEWHERE)
            elif await self._is_replaced(line):
                self._is_wrong = True
                line.close(ELSEWHERE)
        return line.lost.result()

    async def _is_replaced(self, line: RequestLine) -> bool:
        """Whether Sentinels name another primary by now: they tell the old one ten seconds later."""
        known = line.place
        try:
            return known is not None and await place_of(read_url(self._url), known) != known
        except RedisLost:
            return False

    def _answered(self, reply: Any) -> None:
        if is_refusal(reply):
            if code_of(reply) in _WRONG_HERE:
                self._is_wrong_here()
        elif self._is_wrong:
            self._is_wrong = False
            for tell in self.moved:
                tell()

    def _is_wrong_here(self) -> None:
        """Look at once where the address leads now; after that with each sign of life."""
        if not self._is_wrong and self._doubt is not None and not self._doubt.done():
            self._doubt.set_result(None)
        self._is_wrong = True

    async def _is_primary_there(self) -> bool:
        """Whether the address leads to a Redis by now that can be written."""
        try:
            other = await RequestLine.to(self._url, self._probe_s)
        except RedisLost:
            return False
        try:
            await other.execute(WRITE, within_s=self._probe_s)
        except (RedisLost, RedisRefused):
            return False
        else:
            return True
        finally:
            other.close("looked at")
