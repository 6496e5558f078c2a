"""TCP ports for the servers that tests and benchmarks start."""

import contextlib
import os
import random
import socket
from typing import Final

BUS: Final = 10_000
"""A node of a Redis Cluster listens to the other nodes at its port and this."""

# All ports, and those of the bus, are below those that the system gives to outgoing connections
# (32768 and up): one of these may be somebody's before the program that is to listen there has
# begun. No port is the bus of another, and each worker of pytest has ports of its own.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_left: list[int] = []


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody uses right now; nor its ``BUS``."""
    while True:
        if not _left:
            ports = range(12_000 + _WORKER, 22_000, _WORKERS)
            _left.extend(random.sample(ports, len(ports)))
        port = _left.pop()
        with contextlib.suppress(OSError):
            for tried in (port, port + BUS):
                with socket.socket() as listener:
                    listener.bind(("127.0.0.1", tried))
            return port
