"""The publisher of the site, made from its settings when it is first used."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, Final, cast

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.functional import SimpleLazyObject, empty

from publisher.client import Publisher
from publisher.construction import from_config
from publisher.errors import ConfigError

_SETTING: Final = "CHANNEL_SERVER"
_KEYS: Final = frozenset({"URL", "OPTIONS", "PUBLISHER"})


def publisher_of(given: Any) -> Publisher:
    """The publisher that the setting describes.

    Args:
        given: ``URL`` and, for ``Publisher.from_url``, ``OPTIONS``; or a ``PUBLISHER`` that is there
            already, such as a ``RecordingPublisher``. None: what the environment describes.

    Raises:
        ConfigError: If it describes none.
    """
    if given is None:
        return Publisher.from_env(os.environ)  # noqa: TID251 - of the site's process
    if not isinstance(given, Mapping):
        raise ConfigError((f"{_SETTING} must be a dict, such as {{'URL': 'redis://...'}}",))
    if unknown := {str(key) for key in given} - _KEYS:
        names = ", ".join(sorted(unknown))
        raise ConfigError((f"{_SETTING} knows no {names}: only {', '.join(sorted(_KEYS))}",))
    ready = given.get("PUBLISHER")
    if ready is not None and not isinstance(ready, Publisher):
        raise ConfigError((f"{_SETTING}['PUBLISHER'] must be a Publisher",))
    if (ready is None) is not ("URL" in given):
        raise ConfigError((f"{_SETTING} must have a URL, or else a PUBLISHER",))
    if ready is not None:
        return ready
    return from_config(
        Publisher,
        given["URL"],
        given.get("OPTIONS", {}),
        url_name=f"{_SETTING}['URL']",
        options_name=f"{_SETTING}['OPTIONS']",
    )


_making = threading.Lock()


def _make() -> Publisher:
    """One publisher, also if two threads are the first to use it."""
    with _making:
        if _shared._wrapped is empty:  # noqa: SLF001 - Django has no lock here
            _shared._wrapped = publisher_of(getattr(settings, _SETTING, None))  # noqa: SLF001
        return cast("Publisher", _shared._wrapped)  # noqa: SLF001


_shared = SimpleLazyObject(_make)
publisher = cast("Publisher", _shared)
"""For all threads of the process. It follows ``override_settings``."""


def _forget(*, setting: str, **_: object) -> None:
    """In tests: the next use makes another one."""
    if setting == _SETTING and _shared._wrapped is not empty:  # noqa: SLF001
        publisher.close()
        _shared._wrapped = empty  # noqa: SLF001 - as Django resets its own


setting_changed.connect(_forget)
