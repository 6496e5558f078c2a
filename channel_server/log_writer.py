"""The log on its way out: a bounded queue, and a thread that writes. Nobody else waits for a reader.

Found with a pipe that nobody read: the event loop stood still at the next line, and the server
could not even be stopped.
"""

from __future__ import annotations

import os
import select
import time
from logging import LogRecord
from logging.handlers import QueueHandler, QueueListener
from queue import Full, Queue
from typing import Final

_MAX_LINES: Final = 10_000
_STOP_S: Final = 1.0
_LOOK_S: Final = 0.02


class LogWriter(QueueHandler):
    """Takes records, formats them, and lets a thread write the lines to a file descriptor.

    Args:
        descriptor: Such as 1, standard output.
        max_lines: How many may wait; further ones are dropped, and counted.

    Attributes:
        dropped: How many lines were dropped since the start.
    """

    def __init__(self, descriptor: int, max_lines: int = _MAX_LINES) -> None:
        lines: Queue[object] = Queue(max_lines)
        super().__init__(lines)
        self.dropped = 0
        self._listener = _Listener(lines, descriptor, self)
        self._listener.start()

    def prepare(self, record: LogRecord) -> bytes:
        """Format a record here and now: what it names may change."""
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def enqueue(self, record: object) -> None:
        """Put a line into the queue; without room, drop it."""
        try:
            self.queue.put_nowait(record)
        except Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what waits, for a second at most."""
        super().close()
        self._listener.stop()


class _Listener(QueueListener):
    def __init__(self, lines: Queue[object], descriptor: int, writer: LogWriter) -> None:
        super().__init__(lines)
        self._descriptor = descriptor
        self._writer = writer
        self._admitted = 0

    def handle(self, record: object) -> None:
        """Write one line, however long that takes; then say what was dropped meanwhile."""
        if not isinstance(record, bytes) or not self._has_written(record):
            return
        dropped = self._writer.dropped - self._admitted
        if dropped:
            self._admitted += dropped
            self._has_written(self._writer.prepare(_dropped(dropped)))

    def _has_written(self, line: bytes) -> bool:
        try:
            while line:
                try:
                    line = line[os.write(self._descriptor, line) :]
                except BlockingIOError:  # somebody has made it so
                    select.select((), (self._descriptor,), ())
        except OSError:  # whoever read it is gone
            self._writer.dropped += 1
            return False
        return True

    def stop(self) -> None:
        """End the thread when all is written; without a reader it is left behind."""
        thread, self._thread = self._thread, None
        if thread is not None:
            ends_at_s = time.monotonic() + _STOP_S
            while not self._has_ended() and time.monotonic() < ends_at_s:
                time.sleep(_LOOK_S)
            thread.join(max(0.0, ends_at_s - time.monotonic()))

    def _has_ended(self) -> bool:
        """Put the end into the queue, if there is room."""
        try:
            self.enqueue_sentinel()
        except Full:
            return False
        return True


def _dropped(count: int) -> LogRecord:
    record = LogRecord(__name__, 30, __file__, 0, "lines of the log were dropped", (), None)
    record.count = count
    return record
