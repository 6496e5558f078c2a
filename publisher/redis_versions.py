"""Where redis-py 5 to 8 differ."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from redis import __version__
from redis.connection import ConnectionPool

if TYPE_CHECKING:
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.retry import Retry

_NAME: Final = inspect.signature(ConnectionPool.get_connection).parameters["command_name"]
TAKE: Final = ("PUBLISH",) if _NAME.default is inspect.Parameter.empty else ()
"""Arguments of a pool's ``get_connection``: before 5.3, the name of a command."""

_RETRY_IS_FOR_ALL: Final = int(__version__.partition(".")[0]) >= 6  # noqa: PLR2004


def silent(connection_class: type[Any]) -> dict[str, Any]:
    """Options of connections that send no CLIENT SETINFO, which Redis 5 does not know.

    Args:
        connection_class: redis-py's, blocking or of asyncio.
    """
    known = inspect.signature(connection_class).parameters
    if "driver_info" in known:
        return {"driver_info": None}
    return {name: None for name in ("lib_name", "lib_version") if name in known}


def once_more(retry: Retry | AsyncRetry) -> dict[str, Any]:
    """Options of a cluster's client that tries again once: with ``retry``, or as before redis-py 6."""
    return {"retry": retry} if _RETRY_IS_FOR_ALL else {"cluster_error_retry_attempts": 1}
