"""What redis-py raises, as our errors.

The one question is whether the command may have been executed, and only the caller knows the
answer: ``before_writing`` is for errors on the way to a connection, ``after_writing`` for those
from the first byte of the command on.
"""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Final

from redis import exceptions

from publisher.errors import RedisUnavailable, ReplyLost
from publisher.refusals import refusal_of
from publisher.sentinels import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable

    from publisher.errors import PublishError

# redis.connection and redis.asyncio.connection: of pools that wait, and, before redis-py 5.3, of those
# that do not.
_POOL_EXHAUSTED: Final = frozenset({"No connection available.", "Too many connections"})

_ON_THE_WAY: Final = (
    (ConnectionRefusedError, "nothing listens there; start Redis, or correct its URL (REDIS_URL)"),
    (socket.gaierror, "its host name is unknown here; correct its URL (REDIS_URL)"),
    (
        FileNotFoundError,
        "its socket, or a file for TLS, is not there; correct its URL (REDIS_URL)",
    ),
    (PermissionError, "its socket is not for this user; see Redis' setting unixsocketperm"),
    (
        ssl.SSLCertVerificationError,
        "its certificate is not accepted; name the host as it does, and who vouches (ssl_ca_certs)",
    ),
    (ssl.SSLError, "TLS does not come about; if it has none, redis:// instead of rediss://"),
)
_AT_ANY_TIME: Final = (
    (exceptions.InvalidResponse, "what answers is no Redis, or wants TLS (rediss://)"),
    (exceptions.ConnectionError, "it hangs up; if it always does, it may want TLS (rediss://)"),
)
_NOBODY: Final = (
    "nobody answers; is its URL (REDIS_URL) right, and has it TLS where it is rediss://?"
)
_BEFORE: Final = (*_ON_THE_WAY, (TimeoutError, _NOBODY), *_AT_ANY_TIME)
_AFTER: Final = ((TimeoutError, ""), *_AT_ANY_TIME)
"""What stands behind an error of redis-py, and what to do about it; the first one counts."""


def is_pool_exhausted(error: Exception) -> bool:
    """Whether redis-py had no connection to give, of a pool that waits or of one that does not."""
    return isinstance(error, exceptions.MaxConnectionsError) or str(error) in _POOL_EXHAUSTED


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
    if is_pool_exhausted(error):
        reason = "no connection became free in time; raise the pool size (REDIS_POOL_SIZE)"
    elif isinstance(error, NotFound):
        reason = str(error)
    else:
        known = _reason(error, _BEFORE) or "check its URL (REDIS_URL), and that it runs"
        reason = f"Redis cannot be reached: {known}"
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
    reason = "no answer came back in time, or the connection broke"
    if known := _reason(error, _AFTER):
        reason = f"{reason}: {known}"
    return _because(error, ReplyLost(reason))


def _reason(error: BaseException, reasons: Iterable[tuple[type[BaseException], str]]) -> str:
    """What is behind an error of redis-py; empty if none of these is."""
    causes = [error]
    while (cause := causes[-1].__cause__ or _context(causes[-1])) is not None:
        causes.append(cause)
    found = (words for kind, words in reasons if any(isinstance(each, kind) for each in causes))
    return next(found, "")


def _context(error: BaseException) -> BaseException | None:
    """What redis-py was handling; not what the application was, when it called us."""
    context = error.__context__
    traceback = None if context is None else context.__traceback__
    if traceback is None:
        return None
    module = str(traceback.tb_frame.f_globals.get("__name__", ""))
    return context if module.partition(".")[0] in {"redis", "publisher"} else None


def _because(error: Exception, failure: PublishError) -> PublishError:
    failure.__cause__ = error
    return failure
