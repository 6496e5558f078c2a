"""For Flask: an extension that gives each application its publisher."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from flask import current_app

from publisher.client import Publisher
from publisher.errors import ConfigError, PublishError

if TYPE_CHECKING:
    from flask import Flask

_NAME: Final = "channel_server"


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
    url = app.config.get("CHANNEL_SERVER_URL")
    options = app.config.get("CHANNEL_SERVER_OPTIONS") or {}
    if not isinstance(options, dict):
        raise ConfigError(("CHANNEL_SERVER_OPTIONS must be a dict",))
    if url is None and not options:
        return Publisher.from_env(os.environ)  # noqa: TID251 - of the application's process
    if url is None:
        raise ConfigError(("CHANNEL_SERVER_OPTIONS needs a CHANNEL_SERVER_URL",))
    try:
        return Publisher.from_url(url, **options)
    except ConfigError as error:
        raise ConfigError(tuple(f"CHANNEL_SERVER: {each}" for each in error.problems)) from None
