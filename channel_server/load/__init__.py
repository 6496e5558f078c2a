"""Many clients against one Socket.IO server: how long they take to connect, and what they get."""

from channel_server.load.plan import Plan
from channel_server.load.trial import run_load

__all__ = ["Plan", "run_load"]
