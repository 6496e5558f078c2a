"""What one socket has said and nobody has handled yet: bounded."""

from __future__ import annotations

from typing import Final

from channel_server.errors import MalformedFrame

_MAX_MESSAGES: Final = 1_000
_MAX_BYTES: Final = 5 * 1024 * 1024


class Backlog:
    """Counts messages that wait for a token, for the application, for a document.

    The limits are those of @hocuspocus/server 4; 3.4 has none.

    Args:
        max_bytes: At least so many bytes may wait: the largest message must find room.
    """

    __slots__ = ("_bytes", "_max_bytes", "_messages")

    def __init__(self, max_bytes: int = 0) -> None:
        self._max_bytes = max(max_bytes, _MAX_BYTES)
        self._messages = 0
        self._bytes = 0

    def add(self, size: int) -> None:
        """Count a message.

        Raises:
            MalformedFrame: If too much waits.
        """
        if self._messages >= _MAX_MESSAGES or self._bytes + size > self._max_bytes:
            raise MalformedFrame("too much waits")
        self._messages += 1
        self._bytes += size

    def remove(self, size: int) -> None:
        """A message has been taken."""
        self._messages -= 1
        self._bytes -= size
