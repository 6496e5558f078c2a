"""Who a channel token stands for, asked of Redis."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from channel_server.adapters.line import (
    RequestLine,
    encode,
    is_refusal,
    refusal_of,
    stay_connected,
)
from channel_server.core import users
from channel_server.errors import RedisLost
from publisher.contract import CURRENT_USERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.core.users import Identity

_PREFIX: Final = CURRENT_USERS.encode()


class Directory:
    """Looks tokens up on one pipelined connection.

    A question survives the loss of the connection: it is asked again on the next one.

    Args:
        url: Redis.
        patience_s: After this long without an answer the look-up fails.
        probe_s: Redis must give a sign of life this often.
        pauses_s: Back-off, see ``stay_connected``.
    """

    def __init__(
        self, url: str, *, patience_s: float, probe_s: float, pauses_s: Callable[[int], float]
    ) -> None:
        self._url = url
        self._patience_s = patience_s
        self._probe_s = probe_s
        self._pauses_s = pauses_s
        self._line: RequestLine | None = None
        self._open: dict[asyncio.Future[bytes | None], bytes] = {}

    async def find(self, token: str) -> Identity | None:
        """Look a token up.

        Returns:
            None for a visitor: the token is unknown, or what is stored names no user.

        Raises:
            RedisLost: If Redis did not answer within ``patience_s``.
        """
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        command = encode(b"GET", _PREFIX + token.encode())
        self._open[answer] = command
        self._ask(answer, command)
        try:
            async with asyncio.timeout(self._patience_s):
                stored = await answer
        except TimeoutError:
            raise RedisLost("no answer to a look-up") from None
        finally:
            del self._open[answer]
        return None if stored is None else users.read(stored)

    async def run(self) -> NoReturn:
        """Keep the connection up until cancelled."""
        await stay_connected(self._connect, self._use, purpose="look-ups", pauses_s=self._pauses_s)

    async def _connect(self) -> RequestLine:
        line = RequestLine()
        await line.open(self._url)
        await line.greet(self._probe_s)
        return line

    async def _use(self, line: RequestLine) -> str:
        self._line = line
        for answer, command in self._open.items():
            self._ask(answer, command)
        try:
            return await line.watch(self._probe_s)
        finally:
            self._line = None

    def _ask(self, answer: asyncio.Future[bytes | None], command: bytes) -> None:
        if self._line is not None:
            self._line.request(command, partial(self._answered, self._line, answer))

    @staticmethod
    def _answered(line: RequestLine, answer: asyncio.Future[bytes | None], reply: Any) -> None:
        if is_refusal(reply) and not str(reply).startswith("WRONGTYPE"):
            # LOADING, NOAUTH, MASTERDOWN …: Redis cannot tell. Ask again on a new connection.
            line.close(refusal_of(reply))
        elif not answer.done():
            answer.set_result(reply if isinstance(reply, bytes) else None)
