"""Connections to the primary that Sentinels name, which is asked for whenever one is opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import AbstractConnection as AsyncAbstractConnection
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel

from publisher.contract.journal import NONE
from publisher.tls_connection import TicketPool

if TYPE_CHECKING:
    from publisher.contract.redis_url import RedisUrl

_WITHIN_S: Final = 1.0
"""Each of them; there are others."""

_OPTIONS: Final[dict[str, Any]] = {
    "protocol": 2,
    "driver_info": None,
    "socket_connect_timeout": _WITHIN_S,
}
_FAILURES: Final = (
    RedisError,
    OSError,
    TimeoutError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""With what redis-py stumbles over the answer of something that is no Sentinel."""
NONE_KNOWS: Final = "no Sentinel knows of a primary of this name that is up"
_REPLICA: Final = "the Sentinels named a replica: they have not noticed yet"


class Found(AbstractConnection):
    """Mixed into redis-py's blocking connections.

    Args:
        url: Of the Sentinels.
        options: redis-py's.
    """

    def __init__(self, *, url: RedisUrl, **options: Any) -> None:
        super().__init__(**options)
        self._url = url

    def connect(self) -> None:
        """Connect to the first that a Sentinel names and that takes writes."""
        sock: Any = self._sock
        if sock is not None:
            return
        failure: Exception | None = None
        for place in self._url.hosts:
            try:
                self.host, self.port = _find(self._url, *place)
                super().connect()  # type: ignore[no-untyped-call]
                self._check()
            except _FAILURES as error:
                self.disconnect()  # type: ignore[no-untyped-call]
                if _is_final(error):
                    raise
                failure = error
            except BaseException:
                self.disconnect()  # type: ignore[no-untyped-call]
                raise
            else:
                return
        raise _none_found(failure)

    def _check(self) -> None:
        try:
            self.send_command("DEL", NONE)  # type: ignore[no-untyped-call]
            self.read_response()
        except ReadOnlyError:
            raise RedisConnectionError(_REPLICA) from None
        except ResponseError:
            pass  # no right to DEL: then this cannot be known


class AsyncFound(AsyncAbstractConnection):
    """Mixed into redis-py's asyncio connections. Arguments as of ``Found``."""

    def __init__(self, *, url: RedisUrl, **options: Any) -> None:
        super().__init__(**options)
        self._url = url

    async def connect(self) -> None:
        """Connect to the first that a Sentinel names and that takes writes."""
        if self.is_connected:
            return
        failure: Exception | None = None
        for place in self._url.hosts:
            try:
                self.host, self.port = await _find_async(self._url, *place)
                await super().connect()  # type: ignore[no-untyped-call]
                await self._check()
            except _FAILURES as error:
                await self.disconnect(nowait=True)
                if _is_final(error):
                    raise
                failure = error
            except BaseException:
                await self.disconnect(nowait=True)
                raise
            else:
                return
        raise _none_found(failure)

    async def _check(self) -> None:
        try:
            async with asyncio.timeout(self.socket_connect_timeout):
                await self.send_command("DEL", NONE)
                await self.read_response()
        except ReadOnlyError:
            raise RedisConnectionError(_REPLICA) from None
        except ResponseError:
            pass


def _is_final(error: Exception) -> bool:
    """Whether another Sentinel would lead to the same: Redis does not let us in."""
    return isinstance(error, AuthenticationError | ResponseError)


def _none_found(failure: Exception | None) -> RedisConnectionError:
    error = RedisConnectionError(NONE_KNOWS)
    error.__cause__ = failure
    return error


def _find(url: RedisUrl, host: str, port: int) -> tuple[str, int]:
    pool = TicketPool.from_url(
        url.sentinel_at(host, port),
        socket_timeout=_WITHIN_S,
        retry=Retry(NoBackoff(), 0),
        **_OPTIONS,
    )
    sentinel = Sentinel([])  # type: ignore[no-untyped-call]
    with Redis.from_pool(pool) as client:
        sentinel.sentinels = [client]
        try:
            found: tuple[str, int] = sentinel.discover_master(url.service)  # type: ignore[no-untyped-call]
        except ResponseError as error:  # a Sentinel's, not Redis'
            raise RedisConnectionError(NONE_KNOWS) from error
    found[0].encode("idna")
    return found


async def _find_async(url: RedisUrl, host: str, port: int) -> tuple[str, int]:
    sentinel = AsyncSentinel([])  # type: ignore[no-untyped-call]
    async with AsyncRedis.from_url(
        url.sentinel_at(host, port), retry=AsyncRetry(NoBackoff(), 0), **_OPTIONS
    ) as client:
        sentinel.sentinels = [client]
        async with asyncio.timeout(_WITHIN_S):
            try:
                found: tuple[str, int] = await sentinel.discover_master(url.service)
            except ResponseError as error:
                raise RedisConnectionError(NONE_KNOWS) from error
    found[0].encode("idna")
    return found
