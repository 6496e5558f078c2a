"""How commands get to Redis: what is common to all ways, and over connections of our own."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

from redis import RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection, Connection, parse_url
from redis.retry import Retry

from publisher.attempts import Attempts
from publisher.command import Pipeline
from publisher.connection import OURS, PunctualPool
from publisher.contract.redis_url import Kind, read_url
from publisher.deadline import begin, left_s, share_s
from publisher.errors import PublishError
from publisher.failures import after_writing, before_writing
from publisher.redis_versions import TAKE, silent
from publisher.sentinels import Found

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.command import Command
    from publisher.settings import Settings
    from publisher.steps import Steps


class Link(ABC):
    """Sends commands and waits for their answers.

    Args:
        timeout_s: Of a whole call; None: others see to it.
    """

    is_cluster = False
    """It leads to a Redis Cluster."""

    def __init__(self, timeout_s: float | None) -> None:
        self._timeout_s = timeout_s

    @abstractmethod
    def execute(self, command: Command | Pipeline) -> Any:
        """Send one command, or several at once.

        Returns:
            Redis' answer as redis-py reads it: an int, bytes, a list of these, or None.

        Raises:
            RedisUnavailable: If no connection could be had, after up to three attempts.
            ReplyLost: If the answer did not come.
            RedisRefused: If Redis answered with an error.
        """

    def perform(self, steps: Steps) -> Any:
        """Send the commands of some steps, one after the other. Return their result.

        Raises:
            PublishError: What ``execute`` raises and the steps do not deal with.
        """
        begin(self._timeout_s)
        try:
            command = next(steps)
            while True:
                try:
                    answer = self.execute(command)
                except PublishError as error:
                    command = steps.throw(error)
                else:
                    command = steps.send(answer)
        except StopIteration as end:
            return end.value

    @abstractmethod
    def close(self) -> None:
        """Close all connections. A command that another thread has under way fails."""


class _Connection(Protocol):
    """What we use of redis-py's connection."""

    def pack_commands(self, commands: Iterable[tuple[str | bytes | int, ...]]) -> Any: ...
    def send_command(self, *words: str | bytes | int) -> None: ...
    def send_packed_command(self, command: Any) -> None: ...
    def read_response(self) -> Any: ...
    def disconnect(self) -> None: ...
    def wait_at_most(self, seconds: float | None) -> None: ...


class _Pool(Protocol):
    """What we use of redis-py's connection pool, which is safe for threads and after a fork."""

    def get_connection(self, *names: str) -> _Connection: ...
    def release(self, connection: _Connection) -> None: ...
    def disconnect(self) -> None: ...


class PooledLink(Link):
    """A bounded set of connections, over which a command goes at most once.

    Invariants, which ``tests/integration/test_publisher_faults.py`` checks:

    - once the first byte of a command may have been written, the command is not written again;
    - a connection on which anything went wrong is closed, so no answer reaches the next command.

    Redis sees no command but ours, AUTH and SELECT: all that Redis 5 knows, too.

    Args:
        settings: Address, number of connections, time-out.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings.timeout_s)
        url = read_url(settings.url)
        options: dict[str, Any] = {**parse_url(url.direct), **settings.redis_options}  # type: ignore[no-untyped-call]
        kind = OURS[options.get("connection_class", Connection)]
        if url.kind is Kind.SENTINEL:
            options["url"] = url
            kind = type("Found", (Found, kind), {})
        options["connection_class"] = kind
        self._pool: _Pool = PunctualPool(  # type: ignore[no-untyped-call]
            **options,
            **silent(AbstractConnection),
            max_connections=settings.pool_size,
            timeout=settings.timeout_s,
            socket_timeout=settings.timeout_s,
            socket_connect_timeout=settings.timeout_s,
            protocol=2,
            # redis-py's own retries would write a command again that was written already.
            retry=Retry(NoBackoff(), 0),
        )

    def execute(self, command: Command | Pipeline) -> Any:
        """As ``Link.execute``."""
        connection = self._connected()
        answered = False
        try:
            connection.wait_at_most(share_s(is_repeatable=command.is_repeatable))
            if isinstance(command, Pipeline):
                words = [each.words for each in command.commands]
                connection.send_packed_command(connection.pack_commands(words))
                answer: Any = [_answer_or_refusal(connection) for _ in words]
            else:
                connection.send_command(*command.words)
                answer = connection.read_response()
            answered = True
        except RedisError as error:
            failure = after_writing(error)
        else:
            return answer
        finally:
            if not answered:
                connection.disconnect()
            self._pool.release(connection)
        # Out here, so that redis-py's error is not attached where it was left out on purpose.
        raise failure

    def close(self) -> None:
        """As ``Link.close``."""
        self._pool.disconnect()

    def _connected(self) -> _Connection:
        """Take a connection that stands: new, or idle and not closed by Redis meanwhile."""
        attempts: Attempts | None = None
        while True:
            try:
                return self._pool.get_connection(*TAKE)
            except RedisError as error:
                failure = before_writing(error)
            attempts = attempts or Attempts()
            time.sleep(attempts.pause_after(failure))


def _answer_or_refusal(connection: _Connection) -> Any:
    connection.wait_at_most(left_s())
    try:
        return connection.read_response()
    except ResponseError as error:
        return after_writing(error)
