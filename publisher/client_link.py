"""Publishing with a client of redis-py that is not ours: its pool, its retries, its time-outs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from redis import RedisError
from redis.exceptions import RedisClusterException

from publisher.aio_link import AsyncLink
from publisher.command import Pipeline
from publisher.deadline import left_s
from publisher.errors import PublishError, RedisUnavailable, ReplyLost
from publisher.failures import after_writing, before_writing, is_pool_exhausted
from publisher.link import Link

if TYPE_CHECKING:
    from publisher.command import Command

_OTHER_LOOP: Final = (
    "the client was used in another event loop: make one for each, and a publisher with it"
)
FAILURES: Final = (RedisClusterException, RedisError, OSError, TimeoutError)


class ClientLink(Link):
    """Sends commands with a client.

    What may have been sent, only the client knows: whatever is no answer is ``ReplyLost``.

    Args:
        client: ``redis.Redis``, ``redis.RedisCluster``, or what Sentinel's ``master_for`` gives.
    """

    def __init__(self, client: Any, timeout_s: float | None = None) -> None:
        super().__init__(timeout_s)
        self._client = client
        self.is_cluster = hasattr(client, "get_primaries")

    def execute(self, command: Command | Pipeline) -> Any:
        """As ``Link.execute``; several commands go one after the other."""
        if isinstance(command, Pipeline):
            answers: list[Any] = []
            for each in command.commands:
                answers.append(self._execute_or_error(each))
                if isinstance(answers[-1], RedisUnavailable):
                    break  # those behind it would wait as long, or come before it
            return answers
        try:
            return self._client.execute_command(*command.words)
        except FAILURES as error:
            failure = _failure(error)
        # Out here, so that redis-py's error is not attached where it was left out on purpose.
        raise failure

    def _execute_or_error(self, command: Command) -> Any:
        try:
            return self.execute(command)
        except PublishError as error:
            return error

    def close(self) -> None:
        """The client is closed by whoever has made it."""


class AsyncClientLink(AsyncLink):
    """The same, for asyncio."""

    def __init__(self, client: Any) -> None:
        super().__init__(None)
        self._client = client
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_cluster = hasattr(client, "get_primaries")

    async def execute(self, command: Command | Pipeline) -> Any:
        """As ``Link.execute``; several commands go one after the other."""
        if isinstance(command, Pipeline):
            answers: list[Any] = []
            for each in command.commands:
                answers.append(await self._execute_or_error(each))
                if isinstance(answers[-1], RedisUnavailable):
                    break
            return answers
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(left_s()):
                answer = await self._client.execute_command(*command.words)
        except FAILURES as error:
            failure = _failure(error)
        except RuntimeError as error:
            # asyncio's and uvloop's words differ, and the command may have been written before.
            if self._loop in {None, loop}:
                raise
            failure = ReplyLost(_OTHER_LOOP)
            failure.__cause__ = error
        else:
            self._loop = loop
            return answer
        raise failure

    async def _execute_or_error(self, command: Command) -> Any:
        try:
            return await self.execute(command)
        except PublishError as error:
            return error

    async def close(self) -> None:
        """The client is closed by whoever has made it."""


def _failure(error: Exception) -> PublishError:
    """Certain is only what redis-py says before it has a connection."""
    translate = before_writing if is_pool_exhausted(error) else after_writing
    return without_words(translate(error))


def without_words(failure: PublishError) -> PublishError:
    """Drop a cause that may quote a command: redis-py puts Redis' words into its own errors."""
    if isinstance(failure.__cause__, RedisClusterException):
        failure.__cause__ = None
    return failure
