"""Errors reported to Sentry: what went wrong and where, and nothing of what anybody has said."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from channel_server import __version__
from channel_server.errors import ConfigError

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

log = logging.getLogger(__name__)

_KEPT: Final = ("event_id", "timestamp", "platform", "level", "logger", "release", "sdk")
_OF_FRAMES: Final = ("filename", "function", "lineno", "module")
_OURS: Final = "channel_server"


def report_errors(dsn: str) -> None:
    """Report what is logged as an error from now on, in a thread of its own.

    Args:
        dsn: Of the Sentry project; "" reports nothing.

    Raises:
        ConfigError: If that is no DSN.
    """
    if not dsn:
        return
    try:
        import sentry_sdk  # noqa: PLC0415 - 8 MB that few need
        from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415
        from sentry_sdk.integrations.logging import LoggingIntegration  # noqa: PLC0415
    except ImportError:
        log.warning("SENTRY_DSN is set, but sentry-sdk is not installed")
        return
    try:
        sentry_sdk.init(
            dsn=dsn,
            release=f"channel_server@{__version__}",
            # Others would patch what is fast, or collect what is private.
            default_integrations=False,
            integrations=[
                LoggingIntegration(level=None, event_level=logging.ERROR),
                AtexitIntegration(callback=lambda *_: None),  # its own one prints
            ],
            before_send=_scrubbed,
            include_local_variables=False,
            max_breadcrumbs=0,
            auto_session_tracking=False,
            shutdown_timeout=2,
        )
    except ValueError:
        reason = "SENTRY_DSN must be a DSN, as in https://key@sentry.example.org/1"
        raise ConfigError((reason,)) from None


def _scrubbed(event: Event, _hint: Hint) -> Event:
    """What may be told: constant texts of ours, types of errors, and places in the code.

    The text of an error may quote a message, and so may the log lines of others.
    """
    kept: dict[str, Any] = {name: event[name] for name in _KEPT if name in event}
    if str(event.get("logger", "")).startswith(_OURS):
        kept["message"] = (event.get("logentry") or {}).get("message", "")
    errors = (event.get("exception") or {}).get("values", [])
    kept["exception"] = {"values": [_error(error) for error in errors]}
    return kept  # type: ignore[return-value]


def _error(error: dict[str, Any]) -> dict[str, Any]:
    frames = (error.get("stacktrace") or {}).get("frames", [])
    places = [{name: frame.get(name) for name in _OF_FRAMES} for frame in frames]
    return {
        "type": error.get("type"),
        "module": error.get("module"),
        "stacktrace": {"frames": places},
    }
