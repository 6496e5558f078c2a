"""Redis URLs, checked before anything connects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

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
# redis-py accepts every argument of a connection, such as `protocol` or `max_connections`, and
# lets it win over ours. These are the ones that say where and who, not how.
_OPTIONS: Final = {"redis": _CREDENTIALS, "rediss": _CREDENTIALS | _TLS, "unix": _CREDENTIALS}
_MALFORMED: Final = (
    "must have a valid host and port: write / ? # : @ in a password as %2F %3F %23 %3A %40"
)
_CERT_REQS: Final = frozenset({"none", "optional", "required"})


def problem_with(url: object) -> str | None:
    """Say what is wrong with a Redis URL, without quoting it: it may hold a password.

    Args:
        url: ``redis://[[user]:password@]host[:port][/db]``, ``rediss://`` with the same parts
            for TLS, or ``unix:///path[?db=1&password=...]``.

    Returns:
        What it must be like, to follow the name of the setting. None if nothing is wrong.
    """
    if not isinstance(url, str) or not url.startswith(("redis://", "rediss://", "unix://")):
        return "must begin with redis://, rediss:// or unix://"
    try:
        parts = urlsplit(url)
        port = parts.port
        # The resolver does the same, and its UnicodeError would be nobody's to catch.
        (parts.hostname or "").encode("idna")
    except ValueError:
        return _MALFORMED
    return _MALFORMED if port == 0 else _problem_with_parts(parts)


def _problem_with_parts(parts: SplitResult) -> str | None:
    if parts.fragment:
        return "must not contain #: write it as %23"
    if parts.scheme == "unix":
        if len(parts.path) <= 1:
            return "must name a socket file, as in unix:///run/redis.sock"
    elif not _is_db(parts.path.removeprefix("/") or "0"):
        return "must have the number of a database, or nothing, after the host"
    return _problem_with_options(parts)


def _problem_with_options(parts: SplitResult) -> str | None:
    options = parse_qs(parts.query)
    if not _OPTIONS[parts.scheme].issuperset(options):
        return f"may have only these options: {', '.join(sorted(_OPTIONS[parts.scheme]))}"
    if not _is_db(options.get("db", ["0"])[0]):
        return "must have a number as db"
    if options.get("ssl_cert_reqs", ["required"])[0] not in _CERT_REQS:
        return f"must have one of these as ssl_cert_reqs: {', '.join(sorted(_CERT_REQS))}"
    return None


def _is_db(text: str) -> bool:
    return text.isascii() and text.isdecimal()
