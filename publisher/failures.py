"""What redis-py raises, as our errors.

The one question is whether the command may have been executed, and only the caller knows the
answer: ``before_writing`` is for errors on the way to a connection, ``after_writing`` for those
from the first byte of the command on.
"""

from __future__ import annotations

import re
from typing import Final

from redis.exceptions import AuthenticationError, RedisError, ResponseError

from publisher.errors import PublishError, RedisRefused, RedisUnavailable, ReplyLost
from publisher.sentinels import NONE_KNOWS

# redis.connection and redis.asyncio.connection, BlockingConnectionPool.get_connection.
_POOL_EXHAUSTED: Final = "No connection available."
_CODE: Final = re.compile(r"[A-Z]{2,32}(?![^ ])")
# Before Redis 7 the error of a command in a script stands behind that of the script.
_SCRIPT_CODE: Final = re.compile(r"Error running script .*?-?\b([A-Z]{3,16}) ")
_LOGIN: Final = "check the user name and the password in the Redis URL"
_ADVICE: Final = {
    "BUSY": "a script keeps Redis busy; try again later",
    "LOADING": "Redis is loading its data; try again later",
    "MASTERDOWN": "this replica has lost its primary; point the Redis URL at the primary",
    "MISCONF": "Redis cannot save to disk; its log says why",
    "NOAUTH": _LOGIN,
    "NOPERM": (
        "allow this Redis user PUBLISH on /records, /system_notice and /channel_control, scripts, "
        "and all on /current_users/* and {channel_server}:*"
    ),
    "NOREPLICAS": "Redis has too few replicas to accept writes",
    "OOM": "Redis has no memory left; raise its maxmemory or free some",
    "READONLY": "this Redis is a replica; point the Redis URL at the primary",
    "WRONGPASS": _LOGIN,
}
_ADVICE_OTHERWISE: Final = "try it with redis-cli, which shows Redis' own text"


def before_writing(error: Exception) -> PublishError:
    """Translate an error that came before the first byte of the command was written.

    Args:
        error: From redis-py, or TimeoutError if we stopped waiting.

    Returns:
        RedisRefused or RedisUnavailable, ready to be raised.
    """
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    if str(error) == _POOL_EXHAUSTED:
        reason = "no connection became free in time; raise the pool size (REDIS_POOL_SIZE)"
    elif str(error) == NONE_KNOWS:
        reason = f"{NONE_KNOWS}; check the hosts and the name in its URL (REDIS_URL)"
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
    refusal = _refusal(error)
    if refusal is not None:
        return refusal
    return _because(error, ReplyLost("no answer came back in time, or the connection broke"))


def _refusal(error: BaseException | None) -> RedisRefused | None:
    """Read an error reply. None if this is no reply: only replies carry a status code.

    The cause is dropped on purpose: Redis' text may quote the command
    (``unknown command 'PUBLISH', with args beginning with: ...``).
    """
    if not isinstance(error, RedisError):
        return None
    code = error.status_code
    if isinstance(error, AuthenticationError) and code in {None, "ERR"}:
        code = "WRONGPASS"  # how newer servers put it
    elif code is None and isinstance(error, ResponseError):
        match = _CODE.match(str(error))
        code = match[0] if match else "ERR"
    if code == "ERR" and "unknown command" in str(error):
        code = "UNKNOWN"
    elif code == "ERR" and (inner := _SCRIPT_CODE.search(str(error))):
        code = inner[1]
    if code is None:
        # The asyncio Unix connection wraps the reply to AUTH or SELECT in a ConnectionError.
        return _refusal(error.__cause__)
    return RedisRefused(code, _ADVICE.get(code, _ADVICE_OTHERWISE))


def _because(error: Exception, failure: PublishError) -> PublishError:
    failure.__cause__ = error
    return failure
