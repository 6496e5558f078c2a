"""Settings of what only operators see, the same for every server."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from channel_server.environment import Reader
from channel_server.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORTEST_PASSWORD: Final = 8
_SHORTEST_KEY: Final = 16
"""Longer: who guesses passwords has to wait, who guesses keys only gets other answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSettings:
    """What an operator can change about watching a server.

    Attributes:
        host: ``ADMIN_HOST``. Address of the internal port: metrics, dashboard, HTTP API.
        port: ``ADMIN_PORT``; 0 for none.
        password: ``ADMIN_PASSWORD``. For the dashboard; "" if it is not set.
        api_key: ``ADMIN_API_KEY``. For the HTTP API; "" if it is not set.
        sentry_dsn: ``SENTRY_DSN``, else ``SENTRY_PUBLIC_DSN``; "" to report no errors.
    """

    host: str = "127.0.0.1"
    port: int = 5001
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    sentry_dsn: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> AdminSettings:
        """Read settings from an environment mapping.

        Raises:
            ConfigError: For all variables that cannot be read, together.
        """
        default = cls()
        reader = Reader(env)
        settings = cls(
            host=reader.address("ADMIN_HOST", default.host),
            port=reader.integer("ADMIN_PORT", default.port, low=0, high=65_535),
            password=reader.text("ADMIN_PASSWORD"),
            api_key=reader.text("ADMIN_API_KEY"),
            sentry_dsn=reader.text("SENTRY_DSN") or reader.text("SENTRY_PUBLIC_DSN"),
        )
        for name, secret, shortest in (
            ("ADMIN_PASSWORD", settings.password, _SHORTEST_PASSWORD),
            ("ADMIN_API_KEY", settings.api_key, _SHORTEST_KEY),
        ):
            if secret and not (len(secret) >= shortest and secret.isascii()):
                reader.problems.append(
                    f"{name} must have {shortest} characters or more, all of them ASCII"
                )
        if reader.problems:
            raise ConfigError(tuple(reader.problems))
        return settings

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine reach the internal port."""
        return self.host == "localhost" or ip_address(self.host).is_loopback

    def shown(self) -> dict[str, str]:
        """Values in force by variable, secrets masked."""
        return {
            "ADMIN_HOST": self.host,
            "ADMIN_PORT": str(self.port) if self.port else "0: no internal port",
            "ADMIN_PASSWORD": "***" if self.password else "not set",
            "ADMIN_API_KEY": "***" if self.api_key else "not set",
            "SENTRY_DSN": "***" if self.sentry_dsn else "not set",
        }
