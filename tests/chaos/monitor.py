"""Which commands Redis is sent, as it tells itself."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

_READ_BYTES: Final = 1024 * 1024
_LAST: Final = b"counted-so-far"
_SENT: Final = re.compile(rb'^\+\S+ \[\d+ (?!lua\])[^]]*\] "(\w+)"', re.MULTILINE)
"""A line for a command that a client has sent; scripts' own commands come from ``lua``."""


@contextlib.asynccontextmanager
async def monitored(path: Path) -> AsyncIterator[Counter[str]]:
    """Count the commands that clients send to Redis; those that a script executes do not count.

    Args:
        path: Socket of Redis.

    Yields:
        The counts by name, in upper case; empty until the block is left.
    """
    commands: Counter[str] = Counter()
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b"MONITOR\r\n")
        await reader.readline()
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_read(reader), name="monitor")
            yield commands
            await _mark(path)
            lines = await reading
    finally:
        writer.transport.abort()
    commands.update(name.decode().upper() for name in _SENT.findall(lines))
    del commands["ECHO"]


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Read all lines up to the mark."""
    lines = bytearray()
    while _LAST not in lines[-_READ_BYTES:]:
        lines += await reader.read(_READ_BYTES)
    return bytes(lines)


async def _mark(path: Path) -> None:
    """Send a command that ``_read`` recognises, behind all others."""
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(b"ECHO %s\r\n" % _LAST)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
