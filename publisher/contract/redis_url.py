"""Redis URLs: read, and checked before anything connects.

======================================================  ==========================================
``redis://[[user]:password@]host[:6379][/db]``          one Redis, or Valkey; ``rediss://``: with TLS
``unix:///path[?db=1&username=…&password=…]``           the same, on a socket of this machine
``redis+sentinel://[…@]host[:26379],…/name[/db]``       the primary that Sentinels know by this name
``redis+cluster://[…@]host[:6379],…``                   a Redis Cluster, by some of its nodes
======================================================  ==========================================

``valkey`` may stand for ``redis`` in all of them. With ``rediss`` come the options ``ssl_ca_certs``,
``ssl_ca_path``, ``ssl_certfile``, ``ssl_keyfile``, ``ssl_cert_reqs`` and ``ssl_check_hostname``, for
Sentinels, too; to these one may log in with ``sentinel_username`` and ``sentinel_password``.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_CREDENTIALS: Final = frozenset({"db", "password", "username"})
_TLS: Final = frozenset(
    {
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_cert_reqs",
        "ssl_certfile",
        "ssl_check_hostname",
        "ssl_keyfile",
    }
)
_SENTINEL_LOGIN: Final = ("sentinel_username", "sentinel_password")
_CERT_REQS: Final = frozenset({"none", "optional", "required"})
_MALFORMED: Final = (
    "must have a valid host and port: write / ? # : @ in a password as %2F %3F %23 %3A %40"
)
_SCHEMES: Final = (
    "must begin with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://"
)


class Kind(enum.Enum):
    """What answers at an address."""

    DIRECT = "direct"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


_PORTS: Final = {Kind.SENTINEL: 26379, Kind.CLUSTER: 6379}


class RedisUrl(NamedTuple):
    """A Redis URL, read.

    Attributes:
        kind: What answers there.
        direct: A URL that redis-py understands, of ``DIRECT``; else without a host.
        hosts: Of the Sentinels, or of nodes of the cluster.
        service: Name of the primary at the Sentinels.
        sentinel_username: To log in there.
        sentinel_password: To log in there.
    """

    kind: Kind
    direct: str
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    def __repr__(self) -> str:
        """Without a login: redis-py's pools show what they were made of."""
        return f"RedisUrl({self.kind}, {self.hosts}, {self.service!r})"

    def at(self, host: str, port: int) -> str:
        """The URL of one Redis behind this one, for redis-py: same login, database and options."""
        scheme, _, rest = self.direct.partition("://")
        netloc, slash, tail = rest.partition("/")
        login, at, _ = netloc.rpartition("@")
        return f"{scheme}://{login}{at}{_written(host)}:{port}{slash}{tail}"

    def sentinel_at(self, host: str, port: int) -> str:
        """The URL of one Sentinel, for redis-py: with the same options for TLS."""
        scheme, _, rest = self.direct.partition("://")
        _, mark, options = rest.partition("?")
        names = (self.sentinel_username, self.sentinel_password)
        login = ":".join(quote(name or "", safe="") for name in names) if any(names) else ""
        at = "@" if login else ""
        return f"{scheme}://{login}{at}{_written(host)}:{port}{mark}{options}"


def _written(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def read_url(url: object) -> RedisUrl:
    """Read a URL.

    Raises:
        ValueError: With what it must be like, to follow the name of the setting; quotes nothing,
            for it may hold a password.
    """
    scheme, mark, rest = url.partition("://") if isinstance(url, str) else ("", "", "")
    base, _, suffix = scheme.replace("valkey", "redis", 1).partition("+")
    if base not in {"redis", "rediss", "unix"} or not mark:
        raise ValueError(_SCHEMES)
    if not suffix:
        direct = f"{base}://{rest}"
        _check(_split(direct))
        return RedisUrl(Kind.DIRECT, direct)
    if suffix not in {Kind.SENTINEL.value, Kind.CLUSTER.value} or base == "unix":
        raise ValueError(_SCHEMES)
    return _read_many(Kind(suffix), base, rest)


def problem_with(url: object) -> str | None:
    """Say what is wrong with a URL, without quoting it; None if nothing is."""
    try:
        read_url(url)
    except ValueError as problem:
        return str(problem)
    return None


def _read_many(kind: Kind, base: str, rest: str) -> RedisUrl:
    place, mark, query = rest.partition("?")
    if "#" in rest:
        raise ValueError("must not contain #: write it as %23")
    netloc, _, path = place.partition("/")
    login, at, hosts = netloc.rpartition("@")
    service, _, database = path.partition("/") if kind is Kind.SENTINEL else ("", "", path)
    if kind is Kind.SENTINEL and not service:
        raise ValueError("must have the name of the primary after the hosts, as in .../mymaster/0")
    options = parse_qs(query)
    if kind is Kind.CLUSTER and (database not in {"", "0"} or "db" in options):
        raise ValueError("must have no database but 0: a cluster has no other")
    own = {name: options.pop(name)[0] for name in _SENTINEL_LOGIN if name in options}
    if own and kind is not Kind.SENTINEL:
        raise ValueError("may have sentinel_… options with redis+sentinel:// only")
    kept = "&".join(
        part for part in query.split("&") if part and part.partition("=")[0] not in own
    )
    options_of = f"{mark if kept else ''}{kept}"
    allowed = frozenset(_SENTINEL_LOGIN if kind is Kind.SENTINEL else ())
    _check(_split(f"{base}://{login}{at}host/{database}{options_of}"), allowed)
    tail = f"/{database or 0}{options_of}"
    return RedisUrl(
        kind,
        f"{base}://{login}{at}{tail}",
        tuple(_host(text, _PORTS[kind]) for text in hosts.split(",")),
        unquote(service),
        own.get("sentinel_username"),
        own.get("sentinel_password"),
    )


def _host(text: str, default: int) -> tuple[str, int]:
    parts = _split(f"redis://{text}")
    if not parts.hostname or parts.path or "@" in text:
        raise ValueError(_MALFORMED)
    return parts.hostname, parts.port or default


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
        # The resolver does the same, and its UnicodeError would be nobody's to catch.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise ValueError(_MALFORMED) from None
    if port == 0:
        raise ValueError(_MALFORMED)
    return parts


def _check(parts: SplitResult, allowed: frozenset[str] = _CREDENTIALS) -> None:
    """Raise ``ValueError`` for what redis-py would refuse, or take for something else."""
    if parts.fragment:
        raise ValueError("must not contain #: write it as %23")
    options = parse_qs(parts.query)
    allowed |= _TLS if parts.scheme == "rediss" else frozenset()
    if parts.scheme == "unix" and len(parts.path) <= 1:
        raise ValueError("must name a socket file, as in unix:///run/redis.sock")
    database = "" if parts.scheme == "unix" else parts.path.removeprefix("/")
    if not _is_db(database or "0"):
        raise ValueError("must have the number of a database, or nothing, after the host")
    if database and "db" in options:
        raise ValueError("must name the database once: after the host, or as db")
    # redis-py accepts every argument of a connection, such as `protocol` or `max_connections`,
    # and lets it win over ours. These are the ones that say where and who, not how.
    if not allowed.issuperset(options):
        raise ValueError(f"may have only these options: {', '.join(sorted(allowed)) or 'none'}")
    if not _is_db(options.get("db", ["0"])[0]):
        raise ValueError("must have a number as db")
    if options.get("ssl_cert_reqs", ["required"])[0] not in _CERT_REQS:
        raise ValueError(
            f"must have one of these as ssl_cert_reqs: {', '.join(sorted(_CERT_REQS))}"
        )


def _is_db(text: str) -> bool:
    return text.isascii() and text.isdecimal()
