"""Log lines on standard output: a constant text, then fields; as text or as JSON.

No token, name or message body is ever logged. Fields travel in ``extra``.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from typing import Final

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class TextFormatter(logging.Formatter):
    """``2026-01-15 10:30:00,123 INFO channel_server.app: ready port=5000``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Append the fields to the text."""
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        return super().formatMessage(record) + fields


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Format one record."""
        line = {
            "time": self.formatTime(record),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def place_of(error: BaseException) -> str:
    """What went wrong, and where: the words of an error may quote a message."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    *_, last = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {last.name}, line {last.lineno} of {last.filename}"


def configure(log_format: str) -> None:
    """Send the process's log to standard output.

    Args:
        log_format: ``text`` or ``json``.
    """
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # They report what clients do wrong, one line each.
    for name in ("aiohttp.server", "channel_server.engine.frames", "channel_server.socketio"):
        logging.getLogger(name).setLevel(logging.ERROR)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given in ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
