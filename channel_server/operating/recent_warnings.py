"""The last warnings of this process, for operators who look at the dashboard instead of the log."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter, deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from channel_server.log import fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEPT: Final = 50


class Line(NamedTuple):
    """One line of the log.

    Attributes:
        at: ISO 8601, UTC.
        level: ``WARNING``, ``ERROR`` or ``CRITICAL``.
        event: The constant text.
        fields: What was logged with it.
    """

    at: str
    level: str
    event: str
    fields: dict[str, str]


class RecentWarnings(logging.Handler):
    """Keeps the last 50 lines of the log from WARNING on; never with a traceback.

    Attributes:
        lines: The newest first.
        counts: Lines since the start, by level in lower case.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: deque[Line] = deque(maxlen=_KEPT)
        self.counts: Counter[str] = Counter({"warning": 0, "error": 0})

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        try:
            self._keep(record)
        except Exception:  # noqa: BLE001 - as logging's own handlers do it
            self.handleError(record)

    def _keep(self, record: logging.LogRecord) -> None:
        self.counts[record.levelname.lower()] += 1
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        fields = {name: str(value) for name, value in fields_of(record).items()}
        self.lines.appendleft(Line(at, record.levelname, record.getMessage(), fields))

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is logged meanwhile."""
        logging.getLogger().addHandler(self)
        try:
            yield
        finally:
            logging.getLogger().removeHandler(self)
