"""How a publisher is made, sync or async: from a URL, or from the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from publisher.contract.journal import MAX_MESSAGE_BYTES
from publisher.settings import (
    DEFAULT_POOL_SIZE,
    DEFAULT_TIMEOUT_S,
    DEFAULT_TOKEN_TTL,
    Settings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self


class FromSettings:
    """A class whose instances are made from settings alone."""

    def __init__(self, settings: Settings) -> None: ...

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        token_ttl: int | None = DEFAULT_TOKEN_TTL,
        pool_size: int = DEFAULT_POOL_SIZE,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        journal: bool = True,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ) -> Self:
        """Publish to the Redis at a URL: ``redis://``, ``rediss://`` or ``unix://``.

        The other arguments are those of ``publisher.settings.Settings``.

        Raises:
            ConfigError: For all arguments that are wrong, together.
        """
        settings = Settings(
            url=url,
            token_ttl=token_ttl,
            pool_size=pool_size,
            timeout_s=timeout_s,
            journal=journal,
            max_message_bytes=max_message_bytes,
        )
        return cls(settings)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Publish to the Redis that the environment names; see ``Settings.from_env``.

        Args:
            env: Such as ``os.environ``.

        Raises:
            ConfigError: For all variables that are wrong, together.
        """
        return cls(Settings.from_env(env))
