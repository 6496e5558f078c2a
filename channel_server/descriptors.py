"""How many files and sockets this process may have open."""

from __future__ import annotations

import resource
from typing import Final

MAX_DESCRIPTORS: Final = 1_048_576

_SPARE: Final = 64
"""For Redis, log files, and connections that are just being refused."""


def most_connections() -> int:
    """Raise the limit on file descriptors as far as we may. Return how many are for clients."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        hard = max(soft, MAX_DESCRIPTORS)
    most = min(hard, MAX_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most - _SPARE
