"""How a publisher reaches Redis, and for how long its tokens are valid."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from publisher.contract.journal import MAX_MESSAGE_BYTES
from publisher.contract.redis_url import problem_with
from publisher.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL: Final = "redis://localhost:6379/0"
DEFAULT_TOKEN_TTL: Final = 1800
DEFAULT_POOL_SIZE: Final = 20
DEFAULT_TIMEOUT_S: Final = 5.0
_MIB: Final = 1024 * 1024
_JOURNALS: Final = ("redis", "memory", "off")
_DIGITS: Final = re.compile("[1-9][0-9]{0,8}")
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
_OURS: Final = frozenset(
    {
        "connection_class",
        "connection_pool",
        "decode_responses",
        "driver_info",
        "encoding",
        "host",
        "lib_name",
        "lib_version",
        "max_connections",
        "parser_class",
        "path",
        "port",
        "protocol",
        "redis_connect_func",
        "retry",
        "retry_on_error",
        "retry_on_timeout",
        "socket_connect_timeout",
        "socket_timeout",
        "timeout",
    }
)
"""Options of redis-py on which a publisher depends."""
_INSTEAD: Final = {
    "max_connections": "pool_size",
    "socket_connect_timeout": "timeout_s",
    "socket_timeout": "timeout_s",
    "timeout": "timeout_s",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a publisher can be told.

    Attributes:
        url: Redis' address; see ``publisher.contract.redis_url``. Not shown by ``repr``.
        token_ttl: Seconds for which a token is valid if its issuer names no time. None: for ever.
        pool_size: Connections at most, so commands that can be under way at once.
        timeout_s: Seconds that a whole call may take, however many attempts it makes. (What it
            takes to resolve a host name is the system's affair.)
        journal: Append messages to the journal of the channel servers, so that none of them, and
            no client that returns, misses one. False where they keep none in Redis.
        max_message_bytes: A larger message is refused: channel servers do not keep it, and it would
            take the place of many others.
        redis_options: For redis-py's connections, such as ``credential_provider`` or
            ``ssl_ca_certs``. Not shown by ``repr``.

    Raises:
        ConfigError: For all settings that are wrong, together.
    """

    url: str = field(default=DEFAULT_URL, repr=False)
    token_ttl: int | None = DEFAULT_TOKEN_TTL
    pool_size: int = DEFAULT_POOL_SIZE
    timeout_s: float = DEFAULT_TIMEOUT_S
    journal: bool = True
    max_message_bytes: int = MAX_MESSAGE_BYTES
    redis_options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        problems = []
        if wrong := problem_with(self.url):
            problems.append(f"url {wrong}")
        if self.token_ttl is not None and not _is_positive(self.token_ttl, (int,)):
            problems.append("token_ttl must be a positive int, or None")
        if not _is_positive(self.pool_size, (int,)):
            problems.append("pool_size must be a positive int")
        if not _is_positive(self.timeout_s, (int, float)):
            problems.append("timeout_s must be a positive number")
        if not _is_positive(self.max_message_bytes, (int,)):
            problems.append("max_message_bytes must be a positive int")
        if not problems:
            problems += _problems_with(self.url, self.redis_options)
        if problems:
            raise ConfigError(tuple(problems))

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read the variables of the channel server that concern a publisher.

        ``REDIS_CACHE_URL`` or else ``REDIS_URL``, ``CACHE_REDIS_EXPIRE``, ``REDIS_POOL_SIZE``,
        ``MAX_MESSAGE_MIB``, and ``JOURNAL`` and ``RECOVERY_MINUTES``: without a journal in Redis
        nothing is appended to it. And ``PUBLISHER_TIMEOUT``, which only publishers read: seconds.

        Args:
            env: Such as ``os.environ``. An empty value counts as none.

        Raises:
            ConfigError: For all variables that cannot be read, together.
        """
        reader = _Reader(env)
        url = reader.url("REDIS_CACHE_URL", "REDIS_URL")
        token_ttl = reader.positive("CACHE_REDIS_EXPIRE", DEFAULT_TOKEN_TTL)
        pool_size = reader.positive("REDIS_POOL_SIZE", DEFAULT_POOL_SIZE)
        max_message_mib = reader.positive("MAX_MESSAGE_MIB", MAX_MESSAGE_BYTES // _MIB)
        timeout_s = reader.seconds("PUBLISHER_TIMEOUT", DEFAULT_TIMEOUT_S)
        journal = reader.has_journal()
        if reader.problems:
            raise ConfigError(tuple(reader.problems))
        return cls(
            url=url,
            token_ttl=token_ttl,
            pool_size=pool_size,
            timeout_s=timeout_s,
            journal=journal,
            max_message_bytes=max_message_mib * _MIB,
        )


class _Reader:
    """Collects problems instead of stopping at the first one."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.problems: list[str] = []

    def url(self, *names: str) -> str:
        for name in names:
            text = self._text(name)
            if text:
                if wrong := problem_with(text):
                    self.problems.append(f"{name} {wrong}")
                return text
        return DEFAULT_URL

    def positive(self, name: str, default: int) -> int:
        text = self._text(name)
        if not text:
            return default
        if _DIGITS.fullmatch(text):
            return int(text)
        # Not quoted: what was pasted here by mistake may be a secret.
        self.problems.append(f"{name} must be a whole number from 1 to 999999999")
        return default

    def seconds(self, name: str, default: float) -> float:
        text = self._text(name)
        if not text:
            return default
        if _DECIMAL.fullmatch(text) and float(text) > 0:
            return float(text)
        self.problems.append(f"{name} must be a number of seconds above 0, such as 5 or 0.5")
        return default

    def has_journal(self) -> bool:
        text = self._text("JOURNAL") or "redis"
        if text not in _JOURNALS:
            self.problems.append(f"JOURNAL must be {' or '.join(_JOURNALS)}")
        minutes = self._text("RECOVERY_MINUTES")
        return text == "redis" and (not minutes or bool(minutes.strip("0")))

    def _text(self, name: str) -> str:
        return self._env.get(name, "").strip()


def _problems_with(url: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with options of redis-py's connections to this URL."""
    if not options:
        return []
    problems = []
    for name in sorted(_OURS & {*options}):
        hint = f"; is {_INSTEAD[name]} meant?" if name in _INSTEAD else ""
        problems.append(f"{name} cannot be set: a publisher depends on it{hint}")
    theirs = {name: value for name, value in options.items() if name not in _OURS}
    scheme = url.partition("://")[0]
    try:
        _try_connections(scheme, theirs)
    except Exception as error:  # noqa: BLE001 - whatever redis-py finds wrong with them
        problem = f"options that redis-py does not take for {scheme}://"
        problems.append(f"{problem}: {type(error).__name__}: {error}")
    return problems


def _try_connections(scheme: str, options: Mapping[str, Any]) -> None:
    """Make what would connect, blocking and of asyncio: nothing connects yet."""
    # Only for these.
    import redis.asyncio.connection as asynchronous  # noqa: PLC0415
    import redis.connection as blocking  # noqa: PLC0415
    from redis.asyncio import RedisCluster  # noqa: PLC0415
    from redis.cluster import REDIS_ALLOWED_KEYS  # noqa: PLC0415

    kind = {"rediss": "SSLConnection", "valkeys": "SSLConnection"}.get(scheme.partition("+")[0])
    kind = kind or ("UnixDomainSocketConnection" if scheme == "unix" else "Connection")
    for module in (blocking, asynchronous):
        getattr(module, kind)(**options)
    if scheme.endswith("+cluster"):
        known = {*REDIS_ALLOWED_KEYS} & {*inspect.signature(RedisCluster).parameters}
        if unknown := {*options} - known:
            raise TypeError(f"a cluster's client knows no {', '.join(sorted(unknown))}")


def _is_positive(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether a value is a finite number above 0, of these types; bool does not count as int."""
    return (
        isinstance(value, int | float)
        and type(value) in kinds
        and math.isfinite(value)
        and value > 0
    )
