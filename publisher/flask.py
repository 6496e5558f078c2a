"""For Flask: an extension that gives each application its publisher."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from flask import current_app

from publisher.client import Publisher
from publisher.construction import from_config
from publisher.errors import ConfigError, PublishError

if TYPE_CHECKING:
    from flask import Flask

_NAME: Final = "channel_server"
_URL: Final = "CHANNEL_SERVER_URL"
_OPTIONS: Final = "CHANNEL_SERVER_OPTIONS"
_MISTAKEN: Final = frozenset(
    {"CHANNEL_SERVER", "CHANNEL_SERVER_REDIS_URL", "CHANNEL_SERVER_URI", "CHANNEL_SERVER_OPTION"}
)
"""Other keys of an application's are its own, such as the address for browsers."""


class Channels:
    """``channels = Channels(app)``; or ``channels = Channels()``, and later ``channels.init_app(app)``.

    The application's config says where Redis is: ``CHANNEL_SERVER_URL``, and ``CHANNEL_SERVER_OPTIONS``
    for ``Publisher.from_url``. Without a URL the environment does, as ``Publisher.from_env`` reads it.

    Args:
        app: The application; None if there is none yet, or if there are several.
        publisher: That of the application, instead of one that is made, such as a
            ``RecordingPublisher``.

    Raises:
        ConfigError: If the config describes no publisher.
    """

    def __init__(self, app: Flask | None = None, *, publisher: Publisher | None = None) -> None:
        if app is not None:
            self.init_app(app, publisher=publisher)

    def init_app(self, app: Flask, *, publisher: Publisher | None = None) -> None:
        """Give an application its publisher; arguments and errors as of the class."""
        if publisher is not None and not isinstance(publisher, Publisher):
            raise ConfigError((f"publisher must be a Publisher, not {type(publisher).__name__}",))
        app.extensions[_NAME] = _made(app) if publisher is None else publisher

    @property
    def publisher(self) -> Publisher:
        """That of the current application.

        Raises:
            PublishError: If ``init_app`` was not called for it.
            RuntimeError: From Flask, outside of an application context.
        """
        found: Publisher | None = current_app.extensions.get(_NAME)
        if found is None:
            raise PublishError("this application has no publisher: call channels.init_app(app)")
        return found


def _made(app: Flask) -> Publisher:
    """The publisher that the config describes."""
    url, options = app.config.get(_URL), app.config.get(_OPTIONS)
    if unknown := {*app.config} & _MISTAKEN:
        raise ConfigError((f"{', '.join(sorted(unknown))}: only {_URL} and {_OPTIONS} are known",))
    if url:
        return from_config(Publisher, url, options or {}, url_name=_URL, options_name=_OPTIONS)
    if options:
        raise ConfigError((f"{_OPTIONS} needs a {_URL}",))
    return Publisher.from_env(os.environ)  # noqa: TID251 - of the application's process
