"""Lua scripts as commands."""

from __future__ import annotations

import hashlib

from channel_server.adapters.line import encode


class Script:
    """A script that Redis runs by its name once it knows it.

    Args:
        source: Lua.
    """

    def __init__(self, source: str) -> None:
        self._source = source.encode()
        # Redis names scripts by their SHA-1; nothing is protected by it.
        self._name = hashlib.sha1(self._source, usedforsecurity=False).hexdigest().encode()

    def by_name(self, keys: tuple[bytes, ...], arguments: tuple[bytes, ...]) -> bytes:
        """``EVALSHA``, which is refused with NOSCRIPT by a Redis that does not know it yet."""
        return encode(b"EVALSHA", self._name, b"%d" % len(keys), *keys, *arguments)

    def by_name_encoded(self, keys: tuple[bytes, ...], count: int, arguments: bytes) -> bytes:
        """``EVALSHA`` with arguments that are encoded already.

        Args:
            keys: Keys.
            count: How many arguments there are.
            arguments: Each as ``$<length>``, the bytes, and line ends.
        """
        command = self.by_name(keys, ())
        _, _, rest = command.partition(b"\r\n")
        return b"*%d\r\n%b%b" % (3 + len(keys) + count, rest, arguments)

    def around_key(self, *arguments: bytes) -> tuple[bytes, bytes]:
        """What stands before and after the key in the ``EVALSHA`` of a script with one key."""
        command = self.by_name((b"",), arguments)
        head, _, end = command.partition(b"$0\r\n\r\n")
        return head, end

    def in_full(self, keys: tuple[bytes, ...], arguments: tuple[bytes, ...]) -> bytes:
        """``EVAL``, after which Redis knows it."""
        return encode(b"EVAL", self._source, b"%d" % len(keys), *keys, *arguments)
