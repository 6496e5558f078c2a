"""Settings of the server for documents, beside those that all servers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from channel_server.environment import Reader
from channel_server.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PRODUCTION_PORT: Final = 5000
_DEVELOPMENT_PORT: Final = 4444
_MIB: Final = 1024 * 1024
_SECONDS_PER_DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class CollabSettings:
    """What an operator can change about documents.

    Attributes:
        host: ``COLLAB_HOST``. Where to listen: an address, ``unix:/path``, or "" for all addresses.
        port: ``COLLAB_PORT``, else 5000 if ``RAILS_ENV`` is ``production``, else
            ``HOCUSPOCUS_PORT``, else 4444. As the Node programs, of which none reads ``PORT``, the
            later one reads ``HOCUSPOCUS_PORT``, and listens on 80 in production.
        app_url: Where the application is reached: ``PRIVATE_APP_URL``, else ``APP_URL``, else
            ``PUBLIC_APP_URL``, else ``https://`` and ``CANONICAL_HOST``; None if none is set.
        database: ``COLLAB_DATABASE``. Path of the SQLite file; "" for a temporary one.
        has_redis: ``COLLAB_REDIS``. Documents are kept in Redis, and shared with other nodes.
        has_control: Redis is there (its URL is set, or ``has_redis``): orders are heard.
        debounce_s: ``COLLAB_DEBOUNCE_SECONDS``.
        max_debounce_s: ``COLLAB_MAX_DEBOUNCE_SECONDS``.
        is_durable: ``COLLAB_DURABLE_ACK``. Accept an update only when the store has it.
        keep_s: ``COLLAB_KEEP_DAYS`` times 86,400. How long an unchanged document is kept.
        reauth_s: ``COLLAB_REAUTH_SECONDS``; 0: never.
        max_documents: ``COLLAB_MAX_DOCUMENTS``.
        max_document_bytes: ``COLLAB_MAX_DOCUMENT_MIB`` times 1024 * 1024.
        max_bytes: ``COLLAB_MAX_MIB`` times 1024 * 1024.
    """

    host: str = ""
    port: int = _DEVELOPMENT_PORT
    app_url: str | None = None
    database: str = ""
    has_redis: bool = False
    has_control: bool = False
    debounce_s: float = 5.0
    max_debounce_s: float = 30.0
    is_durable: bool = False
    keep_s: int = 30 * _SECONDS_PER_DAY
    reauth_s: float = 0.0
    max_documents: int = 100_000
    max_document_bytes: int = 10 * _MIB
    max_bytes: int = 1024 * _MIB

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> CollabSettings:
        """Read settings from an environment mapping.

        Raises:
            ConfigError: For all variables that cannot be read, together.
        """
        reader = Reader(env)
        is_production = reader.text("RAILS_ENV") == "production"
        port = reader.integer("HOCUSPOCUS_PORT", _DEVELOPMENT_PORT, low=0, high=65_535)
        if is_production:
            port = _PRODUCTION_PORT
        has_redis = reader.flag("COLLAB_REDIS")
        settings = cls(
            host=reader.place("COLLAB_HOST"),
            port=reader.integer("COLLAB_PORT", port, low=0, high=65_535),
            app_url=reader.application(),
            database=reader.text("COLLAB_DATABASE"),
            has_redis=has_redis,
            has_control=has_redis or reader.has("REDIS_CACHE_URL", "REDIS_URL"),
            debounce_s=reader.integer("COLLAB_DEBOUNCE_SECONDS", 5, low=0, high=3600),
            max_debounce_s=reader.integer("COLLAB_MAX_DEBOUNCE_SECONDS", 30, low=0, high=3600),
            is_durable=reader.flag("COLLAB_DURABLE_ACK"),
            keep_s=reader.integer("COLLAB_KEEP_DAYS", 30, low=0, high=36_500) * _SECONDS_PER_DAY,
            reauth_s=reader.integer("COLLAB_REAUTH_SECONDS", 0, low=0, high=86_400),
            max_documents=reader.integer("COLLAB_MAX_DOCUMENTS", 100_000, low=1, high=100_000_000),
            max_document_bytes=reader.integer("COLLAB_MAX_DOCUMENT_MIB", 10, low=1, high=1024)
            * _MIB,
            max_bytes=reader.integer("COLLAB_MAX_MIB", 1024, low=1, high=1 << 20) * _MIB,
        )
        if settings.is_durable and not (has_redis or settings.database):
            reader.problems.append(
                "COLLAB_DURABLE_ACK needs COLLAB_DATABASE or COLLAB_REDIS:"
                " a temporary database ends with the process"
            )
        if settings.debounce_s > settings.max_debounce_s:
            reader.problems.append(
                "COLLAB_DEBOUNCE_SECONDS must not be more than COLLAB_MAX_DEBOUNCE_SECONDS"
            )
        if has_redis and settings.database:
            reader.problems.append("COLLAB_REDIS and COLLAB_DATABASE exclude each other")
        if reader.problems:
            raise ConfigError(tuple(reader.problems))
        return settings

    def shown(self) -> dict[str, str]:
        """Values in force by variable, in the units of the variables."""
        return {
            "COLLAB_HOST": self.host or "all addresses",
            "COLLAB_PORT": str(self.port),
            "PRIVATE_APP_URL": self.app_url or "not set: `channel-server collab` needs it",
            "COLLAB_DATABASE": self.database or "a temporary one",
            "COLLAB_REDIS": str(int(self.has_redis)),
            "COLLAB_DEBOUNCE_SECONDS": f"{self.debounce_s:g}",
            "COLLAB_MAX_DEBOUNCE_SECONDS": f"{self.max_debounce_s:g}",
            "COLLAB_DURABLE_ACK": str(int(self.is_durable)),
            "COLLAB_KEEP_DAYS": str(self.keep_s // _SECONDS_PER_DAY),
            "COLLAB_REAUTH_SECONDS": f"{self.reauth_s:g}",
            "COLLAB_MAX_DOCUMENTS": str(self.max_documents),
            "COLLAB_MAX_DOCUMENT_MIB": str(self.max_document_bytes // _MIB),
            "COLLAB_MAX_MIB": str(self.max_bytes // _MIB),
        }
