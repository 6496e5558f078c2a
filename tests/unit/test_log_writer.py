"""Lines on their way out, with a reader, without one, and with one that comes late."""

import contextlib
import fcntl
import logging
import os
import re
import time

import pytest

from channel_server.log import dropped_lines
from channel_server.log_writer import LogWriter

SMALL = 4096  # bytes: what the smallest pipe takes
LINE = "x" * 1000
ADMITTED = re.compile(r"lines of the log were dropped count=(\d+)\n")


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, SMALL)
    yield reader, writer
    # Not the other end: a thread may still be writing to it, and its number would be given away.
    with contextlib.suppress(OSError):
        os.close(reader)


def record(text=LINE):
    return logging.makeLogRecord({"msg": text})


def test_lines_are_written_in_order(pipe):
    reader, descriptor = pipe
    writer = LogWriter(descriptor)
    for number in range(100):
        writer.handle(record(str(number)))
    writer.close()

    assert os.read(reader, SMALL) == "".join(f"{number}\n" for number in range(100)).encode()
    assert writer.dropped == 0


def test_without_a_reader_nobody_waits_and_what_does_not_fit_is_counted(pipe):
    """The event loop stood still at the first line that the pipe did not take."""
    _, descriptor = pipe
    writer = LogWriter(descriptor, max_lines=10)

    began_s = time.monotonic()
    for _ in range(1_000):
        writer.handle(record())
    assert time.monotonic() - began_s < 1.0
    assert writer.dropped > 900

    writer.close()
    assert time.monotonic() - began_s < 3.0


def test_what_was_dropped_is_counted_for_the_metrics(pipe):
    _, descriptor = pipe
    writer = LogWriter(descriptor, max_lines=1)
    logging.getLogger().addHandler(writer)
    try:
        for _ in range(100):
            writer.handle(record())
        assert dropped_lines() == writer.dropped > 0
    finally:
        logging.getLogger().removeHandler(writer)
    writer.close()


def test_a_reader_that_comes_late_is_told_how_many_lines_it_has_missed(pipe):
    reader, descriptor = pipe
    writer = LogWriter(descriptor, max_lines=10)
    writer.setFormatter(logging.Formatter("%(message)s count=%(count)s", defaults={"count": 0}))
    for _ in range(1_000):
        writer.handle(record())
    dropped = writer.dropped

    text = ""
    while text.count(LINE) < 1_000 - dropped or not ADMITTED.search(text):
        text += os.read(reader, SMALL).decode()
    writer.close()

    assert sum(map(int, ADMITTED.findall(text))) == dropped


def test_a_reader_that_is_gone_costs_lines_and_nothing_else(pipe):
    reader, descriptor = pipe
    os.close(reader)
    writer = LogWriter(descriptor)
    for _ in range(3):
        writer.handle(record())
    writer.close()

    assert writer.dropped == 3
