"""What redis-py raises, as our errors.

The one question is whether the command may have been executed, and only the caller knows the
answer: ``before_writing`` is for errors on the way to a connection, ``after_writing`` for those
from the first byte of the command on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from publisher.errors import RedisUnavailable, ReplyLost
from publisher.refusals import refusal_of
from publisher.sentinels import NotFound

if TYPE_CHECKING:
    from publisher.errors import PublishError

# redis.connection and redis.asyncio.connection, BlockingConnectionPool.get_connection.
_POOL_EXHAUSTED: Final = "No connection available."


def before_writing(error: Exception) -> PublishError:
    """Translate an error that came before the first byte of the command was written.

    Args:
        error: From redis-py, or TimeoutError if we stopped waiting.

    Returns:
        RedisRefused or RedisUnavailable, ready to be raised.
    """
    refusal = refusal_of(error)
    if refusal is not None:
        return refusal
    if str(error) == _POOL_EXHAUSTED:
        reason = "no connection became free in time; raise the pool size (REDIS_POOL_SIZE)"
    elif isinstance(error, NotFound):
        reason = str(error)
    else:
        reason = "Redis cannot be reached; check its URL (REDIS_URL) and that it runs"
    return _because(error, RedisUnavailable(reason))


def after_writing(error: Exception) -> PublishError:
    """Translate an error that came after writing had begun.

    Args:
        error: From redis-py, or TimeoutError if we stopped waiting.

    Returns:
        RedisRefused if Redis answered, else ReplyLost, ready to be raised.
    """
    refusal = refusal_of(error)
    if refusal is not None:
        return refusal
    return _because(error, ReplyLost("no answer came back in time, or the connection broke"))


def _because(error: Exception, failure: PublishError) -> PublishError:
    failure.__cause__ = error
    return failure
