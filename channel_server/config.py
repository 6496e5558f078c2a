"""Settings, read once from the environment. No other module reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from channel_server.environment import Reader
from channel_server.errors import ConfigError
from publisher.contract.journal import MAX_MESSAGE_BYTES, SHARE
from publisher.contract.redis_url import problem_with

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Network, IPv6Network

_LOG_FORMATS: Final = ("text", "json")
_JOURNALS: Final = ("redis", "memory", "off")
_SECONDS_PER_MINUTE: Final = 60
_MIB: Final = 1024 * 1024
_MOST_MIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator can change, in the units the code uses.

    A variable that is set to the empty string counts as not set.

    Attributes:
        host: ``HOST``. Where to listen: an address, ``unix:/path``, or "" for all addresses.
        port: ``PORT``. TCP port of the HTTP and WebSocket listener; 0 takes a free one.
        redis_url: ``REDIS_CACHE_URL``, else ``REDIS_URL``.
        cors_origin: ``PUBLIC_APP_URL``, else ``https://`` and ``CANONICAL_HOST``, else
            ``https://`` and ``VIRTUAL_HOST`` without its first ``channels.``; None allows all.
        is_origin_checked: ``ORIGIN_CHECK``. Refuse browsers from other origins.
        lookup_patience_s: ``LOOKUP_SECONDS``. How long a client waits for its token look-up
            while Redis cannot answer, before it is sent away to return.
        probe_s: ``PROBE_SECONDS``. Redis must give a sign of life this often.
        write_limit: ``WRITE_LIMIT_KIB`` times 1024. Unread bytes at which a client is slow.
        write_timeout_s: ``WRITE_SECONDS``. How long it may stay slow.
        max_connections: ``MAX_CONNECTIONS``; None: as many as there are file descriptors.
        trusted_proxies: ``TRUSTED_PROXIES``. Addresses or networks of our own proxies, separated
            by commas; without them, sessions are not counted by address.
        max_per_address: ``MAX_PER_ADDRESS``. Sessions of one client address.
        max_requests_per_address: ``MAX_REQUESTS_PER_ADDRESS``. Requests of one in any second.
        log_format: ``LOG_FORMAT``, ``text`` or ``json``.
        journal: ``JOURNAL``: ``redis``, ``memory`` (this process only) or ``off`` (no recovery);
            ``off``, too, if ``RECOVERY_MINUTES`` is 0.
        recovery_s: ``RECOVERY_MINUTES`` times 60. How far back a client can recover.
        journal_entries: ``JOURNAL_ENTRIES``. How many messages are kept.
        journal_bytes: ``JOURNAL_MIB``. How much memory they take, in Redis and in this process.
        max_message_bytes: ``MAX_MESSAGE_MIB`` times 1024 * 1024, and never more than a quarter of the
            journal. What is larger is delivered, and not kept.
        has_plain_publishers: ``PLAIN_PUBLISHERS``. Somebody publishes without our library, so
            what is published while nobody listens is missed.
        token_ttl_s: ``CACHE_REDIS_EXPIRE``. The full life of a token that has a TTL.
        packets_per_s: ``MAX_PACKETS_PER_SECOND``. How much a client may say.
        has_bots: ``BOTS``. Relay messages of Matrix bots.
        is_matrix_joining: ``MATRIX_AUTO_JOIN``. A bot that is not in a room tries to join it.
        bot_max_age_s: ``BOT_MAX_AGE_MINUTES`` times 60. What is older is not sent any more.
        matrix_allowed_hosts: ``MATRIX_ALLOWED_HOSTS``. Homeservers, by name or address, that may
            be reached although their addresses are not public; separated by commas.
        drain_delay_s: ``DRAIN_DELAY_SECONDS``. From not being ready to refusing new clients.
        drain_s: ``DRAIN_SECONDS``. Over which time the clients are hung up.
    """

    host: str = ""
    port: int = 5000
    redis_url: str = "redis://localhost:6379/0"
    cors_origin: str | None = None
    is_origin_checked: bool = False
    lookup_patience_s: float = 20.0
    probe_s: float = 5.0
    write_limit: int = 1024 * 1024
    write_timeout_s: float = 5.0
    max_connections: int | None = None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    max_per_address: int = 1000
    max_requests_per_address: int = 500
    log_format: str = "text"
    journal: str = "redis"
    recovery_s: int = 30 * _SECONDS_PER_MINUTE
    journal_entries: int = 100_000
    journal_bytes: int = 64 * _MIB
    max_message_bytes: int = MAX_MESSAGE_BYTES
    has_plain_publishers: bool = True
    token_ttl_s: int = 1800
    packets_per_s: int = 1000
    has_bots: bool = True
    is_matrix_joining: bool = True
    bot_max_age_s: int = 60 * _SECONDS_PER_MINUTE
    matrix_allowed_hosts: frozenset[str] = frozenset()
    drain_delay_s: float = 1.0
    drain_s: float = 5.0

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Read settings from an environment mapping.

        Raises:
            ConfigError: For all variables that cannot be read, together.
        """
        default = cls()
        reader = Reader(env)
        minutes = reader.integer("RECOVERY_MINUTES", 30, low=0, high=24 * 60)
        journal_bytes = reader.integer("JOURNAL_MIB", 64, low=1, high=65_536) * _MIB
        journal = reader.choice("JOURNAL", _JOURNALS) if minutes else "off"
        quarter_mib = max(journal_bytes // _MIB // SHARE, 1)
        is_bounded = journal != "off" and quarter_mib < _MOST_MIB
        usual_mib = MAX_MESSAGE_BYTES // _MIB
        max_message_mib = reader.integer(
            "MAX_MESSAGE_MIB",
            min(usual_mib, quarter_mib),
            low=1,
            high=quarter_mib if is_bounded else _MOST_MIB,
            why=" (a quarter of JOURNAL_MIB)" if is_bounded else "",
        )
        settings = cls(
            host=reader.place("HOST"),
            port=reader.integer("PORT", default.port, low=0, high=65_535),
            redis_url=reader.redis_url(("REDIS_CACHE_URL", "REDIS_URL"), default.redis_url),
            cors_origin=reader.origin(),
            is_origin_checked=reader.flag("ORIGIN_CHECK"),
            lookup_patience_s=reader.integer("LOOKUP_SECONDS", 20, low=1, high=600),
            probe_s=reader.integer("PROBE_SECONDS", 5, low=1, high=600),
            write_limit=reader.integer("WRITE_LIMIT_KIB", 1024, low=64, high=1 << 20) * 1024,
            write_timeout_s=reader.integer("WRITE_SECONDS", 5, low=1, high=600),
            max_connections=reader.integer("MAX_CONNECTIONS", 0, low=0, high=10_000_000) or None,
            trusted_proxies=reader.networks("TRUSTED_PROXIES"),
            max_per_address=reader.integer("MAX_PER_ADDRESS", 1000, low=1, high=10_000_000),
            max_requests_per_address=reader.integer(
                "MAX_REQUESTS_PER_ADDRESS", 500, low=1, high=10_000_000
            ),
            log_format=reader.choice("LOG_FORMAT", _LOG_FORMATS),
            journal=journal,
            recovery_s=minutes * _SECONDS_PER_MINUTE,
            journal_entries=reader.integer("JOURNAL_ENTRIES", 100_000, low=100, high=10_000_000),
            journal_bytes=journal_bytes,
            max_message_bytes=min(max_message_mib * _MIB, journal_bytes // SHARE),
            has_plain_publishers=reader.flag("PLAIN_PUBLISHERS", "1"),
            token_ttl_s=reader.integer("CACHE_REDIS_EXPIRE", 1800, low=1, high=999_999_999),
            packets_per_s=reader.integer("MAX_PACKETS_PER_SECOND", 1000, low=10, high=1_000_000),
            has_bots=reader.flag("BOTS", "1"),
            is_matrix_joining=reader.flag("MATRIX_AUTO_JOIN", "1"),
            bot_max_age_s=reader.integer("BOT_MAX_AGE_MINUTES", 60, low=1, high=24 * 60)
            * _SECONDS_PER_MINUTE,
            matrix_allowed_hosts=reader.hosts("MATRIX_ALLOWED_HOSTS"),
            drain_delay_s=reader.integer("DRAIN_DELAY_SECONDS", 1, low=0, high=600),
            drain_s=reader.integer("DRAIN_SECONDS", 5, low=0, high=3600),
        )
        if settings.is_origin_checked and settings.cors_origin is None:
            reader.problems.append(
                "ORIGIN_CHECK needs PUBLIC_APP_URL, CANONICAL_HOST or VIRTUAL_HOST"
            )
        if reader.problems:
            raise ConfigError(tuple(reader.problems))
        return settings

    def shown(self) -> dict[str, str]:
        """Values in force by variable, in the units of the variables, passwords masked."""
        networks = ", ".join(str(network) for network in self.trusted_proxies)
        return {
            "HOST": self.host or "all addresses",
            "PORT": str(self.port),
            "REDIS_URL": masked(self.redis_url),
            "PUBLIC_APP_URL": self.cors_origin or "any page may call",
            "ORIGIN_CHECK": str(int(self.is_origin_checked)),
            "LOOKUP_SECONDS": f"{self.lookup_patience_s:g}",
            "PROBE_SECONDS": f"{self.probe_s:g}",
            "WRITE_LIMIT_KIB": str(self.write_limit // 1024),
            "WRITE_SECONDS": f"{self.write_timeout_s:g}",
            "MAX_CONNECTIONS": str(self.max_connections or "as many as the system allows"),
            "TRUSTED_PROXIES": networks or "none",
            "MAX_PER_ADDRESS": str(self.max_per_address) if networks else "not counted",
            "MAX_REQUESTS_PER_ADDRESS": str(self.max_requests_per_address),
            "LOG_FORMAT": self.log_format,
            "JOURNAL": self.journal,
            "RECOVERY_MINUTES": str(self.recovery_s // _SECONDS_PER_MINUTE),
            "JOURNAL_ENTRIES": str(self.journal_entries),
            "JOURNAL_MIB": str(self.journal_bytes // _MIB),
            "MAX_MESSAGE_MIB": f"{self.max_message_bytes / _MIB:g}",
            "PLAIN_PUBLISHERS": str(int(self.has_plain_publishers)),
            "CACHE_REDIS_EXPIRE": str(self.token_ttl_s),
            "MAX_PACKETS_PER_SECOND": str(self.packets_per_s),
            "BOTS": str(int(self.has_bots)),
            "MATRIX_AUTO_JOIN": str(int(self.is_matrix_joining)),
            "BOT_MAX_AGE_MINUTES": str(self.bot_max_age_s // _SECONDS_PER_MINUTE),
            "MATRIX_ALLOWED_HOSTS": ", ".join(sorted(self.matrix_allowed_hosts)) or "none",
            "DRAIN_DELAY_SECONDS": f"{self.drain_delay_s:g}",
            "DRAIN_SECONDS": f"{self.drain_s:g}",
        }


def masked(url: str) -> str:
    """Replace the password in a Redis URL by ``***``; query parameters are left out.

    A name without a password may be one.
    """
    if problem_with(url) is not None:
        return "***"
    scheme, _, rest = url.partition("?")[0].partition("://")
    place, slash, path = rest.partition("/")
    name, at, hosts = place.rpartition("@")
    user, colon, _ = name.partition(":")
    shown = f"{user}:***" if colon else "***" if user else ""
    return f"{scheme}://{shown}{at}{hosts}{slash}{path}"


__all__ = ["Settings", "masked"]
