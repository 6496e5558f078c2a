"""How a publisher is made, sync or async: from a URL, the environment, or a client of redis-py."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from publisher.contract.journal import MAX_MESSAGE_BYTES
from publisher.errors import ConfigError, PublishError
from publisher.settings import (
    DEFAULT_POOL_SIZE,
    DEFAULT_TIMEOUT_S,
    DEFAULT_TOKEN_TTL,
    Settings,
)

if TYPE_CHECKING:
    from typing import NoReturn, Self

    from publisher.watching import OnPublish


Made = TypeVar("Made", bound="FromSettings")


class FromSettings:
    """A class whose instances are made from settings, or with a client."""

    def __init__(
        self, settings: Settings | None = None, *, on_publish: OnPublish | None = None
    ) -> None: ...

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
        on_publish: OnPublish | None = None,
        **redis_options: Any,
    ) -> Self:
        """Publish to the Redis at a URL, of any kind of ``publisher.contract.redis_url``.

        Args:
            url: Such as ``redis://localhost:6379/0``.
            token_ttl: As of ``publisher.settings.Settings``, and so are the following.
            pool_size: As above.
            timeout_s: As above.
            journal: As above.
            max_message_bytes: As above.
            on_publish: As of the class.
            redis_options: For redis-py's connections, such as ``credential_provider=``.

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
            redis_options=redis_options,
        )
        return cls(settings, on_publish=on_publish)

    @classmethod
    def from_env(cls, env: Mapping[str, str], *, on_publish: OnPublish | None = None) -> Self:
        """Publish to the Redis that the environment names; see ``Settings.from_env``.

        Args:
            env: Such as ``os.environ``.
            on_publish: As of the class.

        Raises:
            ConfigError: For all variables that are wrong, together.
        """
        return cls(Settings.from_env(env), on_publish=on_publish)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled, or copied: what has connections cannot be."""
        raise PublishError(
            f"a {type(self).__name__} cannot be pickled or copied: make one in each process"
        )


def from_config(
    kind: type[Made], url: Any, options: Any, *, url_name: str, options_name: str
) -> Made:
    """Make a publisher as a framework's settings describe it.

    Args:
        kind: Its class.
        url: As for ``from_url``.
        options: The other arguments of ``from_url``.
        url_name: What the setting with the URL is called.
        options_name: And that with the options.

    Raises:
        ConfigError: In the words of these settings.
    """
    if not isinstance(options, Mapping):
        raise ConfigError((f"{options_name} must be a dict, not {type(options).__name__}",))
    try:
        return kind.from_url(url, **options)
    except TypeError as error:  # no arguments at all: keys that are no texts, or "url"
        raise ConfigError((f"{options_name}: {error}",)) from None
    except ConfigError as error:
        problems = (
            f"{url_name}{each.removeprefix('url')}"
            if each.startswith("url ")
            else f"{options_name}: {each}"
            for each in error.problems
        )
        raise ConfigError(tuple(problems)) from None


def checked_settings(owner: object, settings: object, client: object, kind: str) -> Settings:
    """The settings, or the defaults.

    Args:
        owner: What is made of them.
        settings: As they were passed.
        client: The client that was passed, if any.
        kind: Which client it must be.

    Raises:
        ConfigError: If something else was passed in the place of either.
    """
    name = type(owner).__name__
    if settings is not None and not isinstance(settings, Settings):
        hint = "a client as client=" if hasattr(settings, "execute_command") else "from_url(url)"
        raise ConfigError((f"{name} takes Settings, not {type(settings).__name__}: use {hint}",))
    execute = getattr(client, "execute_command", None)
    is_async = inspect.iscoroutinefunction(execute)
    is_no_client = execute is None or isinstance(client, type) or hasattr(client, "command_stack")
    if client is not None and (is_no_client or is_async is not kind.startswith("redis.asyncio")):
        found = "its class" if isinstance(client, type) else f"a {type(client).__name__}"
        raise ConfigError((f"client must be a {kind}, not {found}",))
    return Settings() if settings is None else settings
