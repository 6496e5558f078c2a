"""Log lines on standard output: a constant text, then fields; as text or as JSON.

No token, name or message body is ever logged. Fields travel in ``extra``.
"""

from __future__ import annotations

import json
import logging
import time
import traceback
from typing import TYPE_CHECKING, Final

from channel_server.log_writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_MAX_CAUSES: Final = 5
_STANDARD_OUTPUT: Final = 1
_SELDOM_S: Final = 10.0
_CONTROLS: Final = {code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160))}
_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


_Error = (
    tuple[type[BaseException], BaseException, "TracebackType | None"] | tuple[None, None, None]
)


class _Scrubbing(logging.Formatter):
    """Errors as their types and the places they went through: their words may quote a message."""

    def formatException(self, ei: _Error) -> str:  # noqa: N802 - logging's name
        """Format an error, and those that led to it."""
        parts: list[str] = []
        error = ei[1]
        while error is not None and len(parts) < _MAX_CAUSES:
            places = "".join(traceback.format_tb(error.__traceback__))
            parts.append(f"Traceback (most recent call last):\n{places}{type(error).__qualname__}")
            error = error.__cause__ or error.__context__
        return "\n".join(reversed(parts))


class TextFormatter(_Scrubbing):
    """``2026-01-15 10:30:00,123 INFO channel_server.app: ready port=5000``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Append the fields to the text. It stays one line, whatever is in them."""
        fields = "".join(f" {name}={value}" for name, value in fields_of(record).items())
        return (super().formatMessage(record) + fields).translate(_CONTROLS)


class JsonFormatter(_Scrubbing):
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


class Seldom:
    """Lets a thing be said once in ten seconds.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._quiet_until_s: dict[str, float] = {}

    def may_say(self, text: str) -> bool:
        """Tell whether it may be said now, and note that it is. Texts are few: they are kept."""
        now_s = self._clock()
        if now_s < self._quiet_until_s.get(text, now_s):
            return False
        self._quiet_until_s[text] = now_s + _SELDOM_S
        return True


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
    writer = LogWriter(_STANDARD_OUTPUT)
    writer.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[writer], force=True)
    # They report what clients do wrong, one line each.
    for name in ("aiohttp.server", "channel_server.engine.frames", "channel_server.socketio"):
        logging.getLogger(name).setLevel(logging.ERROR)


def dropped_lines() -> int:
    """How many lines nobody has read in time."""
    writers = (
        handler for handler in logging.getLogger().handlers if isinstance(handler, LogWriter)
    )
    return sum(writer.dropped for writer in writers)


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """What was given in ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}
