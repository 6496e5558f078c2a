"""What the process itself needs, under the names that prometheus-client gives to it.

prometheus-client counts descriptors by listing them, which stops everybody else for 1.7 ms with 4,000
of them, and for 17 with 19,000 (``os.listdir("/proc/self/fd")``); Linux 6.2 and newer know the number,
and say it in 2 µs (``os.stat``).
"""

from __future__ import annotations

import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from channel_server.metrics import Family

if TYPE_CHECKING:
    from collections.abc import Callable

_OWN: Final = Path("/proc/self")
_PAGE_BYTES: Final = resource.getpagesize()
_STARTED_S: Final = time.time_ns() / 1e9


def process_families() -> list[Family]:
    """Memory, processor time and descriptors; what only Linux tells is left out elsewhere."""
    found = [
        _gauge("start_time_seconds", "When it started, since 1970.", lambda: _STARTED_S),
        _gauge("max_fds", "How many descriptors it may have.", _limit),
        Family("process_cpu_seconds_total", "counter", "User and system time.", time.process_time),
    ]
    if _OWN.is_dir():
        found += [
            _gauge("virtual_memory_bytes", "Addresses that it uses.", lambda: _pages(0)),
            _gauge("resident_memory_bytes", "Memory that it uses.", lambda: _pages(1)),
            _gauge("open_fds", "Descriptors: files and sockets.", _descriptors),
        ]
    return found


def _gauge(name: str, text: str, read: Callable[[], float]) -> Family:
    return Family(f"process_{name}", "gauge", text, read)


def _limit() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _pages(column: int) -> int:
    return int((_OWN / "statm").read_text().split()[column]) * _PAGE_BYTES


def _descriptors() -> int:
    folder = _OWN / "fd"
    return folder.stat().st_size or len(list(folder.iterdir()))
