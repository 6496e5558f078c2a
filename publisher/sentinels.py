"""Connections to the primary that Sentinels name, which is asked for whenever one is opened."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.connection import AbstractConnection as AsyncAbstractConnection
from redis.asyncio.connection import ConnectionPool as AsyncPool
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.exceptions import AuthenticationError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from redis.sentinel import Sentinel

from publisher.connection import OurPool
from publisher.contract.journal import NONE
from publisher.deadline import left_s, share_s
from publisher.redis_versions import silent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from publisher.contract.redis_url import RedisUrl

_WITHIN_S: Final = 1.0
"""One that says nothing is left after this time, or half of what is left of the call."""

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
_URL: Final = "in its URL (REDIS_URL)"
_NONE_KNOWS: Final = (
    f"no Sentinel knows of a primary of this name that is up; check the hosts and the name {_URL}"
)
_LOGIN: Final = (
    f"a Sentinel does not let us in; check sentinel_username and sentinel_password {_URL}"
)
_REPLICA: Final = "the Sentinels name a replica: they have not noticed yet; try again later"


class NotFound(RedisConnectionError):
    """The Sentinels led to no primary; says what to do about it."""


class Found(AbstractConnection):
    """Mixed into redis-py's blocking connections.

    Args:
        url: Of the Sentinels.
        options: redis-py's.
    """

    def __init__(self, *, url: RedisUrl, **options: Any) -> None:
        super().__init__(**options)
        self._url, self._tls = url, _tls_of(options)

    def connect(self) -> None:
        """Connect to the first that a Sentinel names and that takes writes."""
        sock: Any = self._sock
        if sock is not None:
            return
        failure: Exception | None = None
        for place in self._url.hosts:
            try:
                self.host, self.port = _find(self._url, self._tls, *place)
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
            raise NotFound(_REPLICA) from None
        except ResponseError:
            pass  # no right to DEL: then this cannot be known


class AsyncFound(AsyncAbstractConnection):
    """Mixed into redis-py's asyncio connections. Arguments as of ``Found``."""

    def __init__(self, *, url: RedisUrl, **options: Any) -> None:
        super().__init__(**options)
        self._url, self._tls = url, _tls_of(options)

    async def connect(self) -> None:
        """Connect to the first that a Sentinel names and that takes writes."""
        if self.is_connected:
            return
        async with asyncio.timeout(left_s()):
            await self._connect_to_primary()

    async def _connect_to_primary(self) -> None:
        failure: Exception | None = None
        for place in self._url.hosts:
            try:
                self.host, self.port = await _find_async(self._url, self._tls, *place)
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
            async with asyncio.timeout(left_s()):
                await self.send_command("DEL", NONE)
                await self.read_response()
        except ReadOnlyError:
            raise NotFound(_REPLICA) from None
        except ResponseError:
            pass


def _tls_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Sentinels have the same certificates as Redis."""
    return {name: value for name, value in options.items() if name.startswith("ssl_")}


def _is_final(error: Exception) -> bool:
    """Whether another Sentinel would lead to the same: Redis does not let us in."""
    return isinstance(error, AuthenticationError | ResponseError)


def _none_found(failure: Exception | None) -> NotFound:
    if isinstance(failure, NotFound):
        return failure
    error = NotFound(_NONE_KNOWS)
    error.__cause__ = failure
    return error


def _within_s() -> float:
    return min(_WITHIN_S, share_s(is_repeatable=True) or _WITHIN_S)


def _find(url: RedisUrl, tls: Mapping[str, Any], host: str, port: int) -> tuple[str, int]:
    within_s = _within_s()
    pool = OurPool.from_url(
        url.sentinel_at(host, port),
        socket_timeout=within_s,
        socket_connect_timeout=within_s,
        retry=Retry(NoBackoff(), 0),
        **silent(AbstractConnection),
        **tls,
        protocol=2,
    )
    client = Redis(connection_pool=pool)
    try:
        return _named(url.service, client.sentinel_masters())
    except AuthenticationError as error:
        raise NotFound(_LOGIN) from error
    except ResponseError as error:  # a Sentinel's, not Redis'
        raise NotFound(_NONE_KNOWS) from error
    finally:
        pool.disconnect()


async def _find_async(
    url: RedisUrl, tls: Mapping[str, Any], host: str, port: int
) -> tuple[str, int]:
    pool = AsyncPool.from_url(
        url.sentinel_at(host, port),
        retry=AsyncRetry(NoBackoff(), 0),
        **silent(AsyncAbstractConnection),
        **tls,
        protocol=2,
    )
    client = AsyncRedis(connection_pool=pool)
    try:
        async with asyncio.timeout(_within_s()):
            return _named(url.service, await client.sentinel_masters())
    except AuthenticationError as error:
        raise NotFound(_LOGIN) from error
    except ResponseError as error:
        raise NotFound(_NONE_KNOWS) from error
    finally:
        await pool.disconnect()


def _named(service: str, primaries: Any) -> tuple[str, int]:
    """Where a Sentinel says that the primary is."""
    state = primaries.get(service)
    if state is None or not Sentinel([]).check_master_state(state, service):  # type: ignore[no-untyped-call]
        raise NotFound(_NONE_KNOWS)
    state["ip"].encode("idna")
    return state["ip"], state["port"]
