"""What the kernel holds for one TCP connection. Linux only: it reads /proc/net."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ESTABLISHED: Final = "01"


def queued_bytes(port: int, peer_port: int) -> int | None:
    """Bytes on the way from ``port`` to ``peer_port``: sent and not yet read.

    Args:
        port: Of the sender, on this machine.
        peer_port: Of the receiver, on this machine, too.

    Returns:
        None if the sender's end is closed, or about to be.
    """
    waiting, is_open = 0, False
    for line in _lines():
        _, local, remote, state, queues, *_ = line.split()
        ports = (_port(local), _port(remote))
        to_send, to_read = (int(queue, 16) for queue in queues.split(":"))
        if ports == (port, peer_port):
            waiting += to_send
            is_open = state == _ESTABLISHED
        elif ports == (peer_port, port):
            waiting += to_read
    return waiting if is_open else None


def _lines() -> list[str]:
    lines = []
    for table in _TABLES:
        with contextlib.suppress(FileNotFoundError):  # no IPv6
            lines += table.read_text().splitlines()[1:]
    return lines


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)
