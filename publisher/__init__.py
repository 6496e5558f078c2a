"""Feed a Loomio channel server from Python.

``Publisher`` and ``AsyncPublisher`` are loaded when they are first asked for, so that
``import publisher.contract``, which the channel server does, costs no import of redis-py.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from publisher.errors import (
    BatchIncomplete,
    ConfigError,
    InvalidMessage,
    PublishError,
    RedisRefused,
    RedisUnavailable,
    ReplyLost,
)

if TYPE_CHECKING:
    from publisher.aio import AsyncPublisher
    from publisher.client import Publisher
else:
    # Hidden from type checkers, for which it would make every misspelt name an object.
    _HOMES = {"AsyncPublisher": "publisher.aio", "Publisher": "publisher.client"}

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})


__all__ = [
    "AsyncPublisher",
    "BatchIncomplete",
    "ConfigError",
    "InvalidMessage",
    "PublishError",
    "Publisher",
    "RedisRefused",
    "RedisUnavailable",
    "ReplyLost",
]
