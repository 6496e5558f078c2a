"""Commands to Redis and their answers, all on one pipelined connection that is kept up."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, NoReturn

from channel_server.adapters.line import RequestLine, encode
from channel_server.adapters.reconnection import stay_connected
from channel_server.errors import RedisLost, RedisRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.adapters.pauses import Pauses
    from channel_server.adapters.script import Script


class Commands:
    """Sends commands in order; what was sent on a connection that is lost stays unanswered.

    Args:
        url: Redis.
        probe_s: Redis must give a sign of life this often.
        pauses: Between attempts to connect; shared by all that go to this Redis.
        purpose: For the log.

    Attributes:
        connections: How many connections there have been; tells one from the next.
        why_not: Why there is no connection; "" if there is one, or none was tried yet.
        connected: Called with every new connection that stands.
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
        return await self._line.execute(command, within_s=within_s)

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
            self.why_not = await line.watch(self._probe_s)
            return self.why_not
        finally:
            self._line = None
