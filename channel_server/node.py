"""What a process calls itself among the others that use the same Redis."""

from __future__ import annotations

import os
import secrets
import socket


def new_node_name() -> str:
    """A name that no other process has, and that tells an operator which one this is."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"
