"""The listening socket: one port for the host's own and for everything else."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, cast

from aiohttp import web

from channel_server.engine.front import Front
from channel_server.engine.places import BACKLOG, UNIX, bound

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_server.engine.host import Host

_FLUSH_S: Final = 1.0
"""How long clients may take to read the last words."""


@contextlib.asynccontextmanager
async def listening(
    host: Host,
    app: web.Application,
    port: int,
    *,
    address: str = "",
    hurried: asyncio.Event | None = None,
    prefix: str = "",
) -> AsyncIterator[int]:
    """Accept connections; at the end, hang up on all clients.

    Args:
        host: Serves what is its own, such as the Socket.IO path.
        app: Serves every other path.
        port: TCP port; 0 takes a free one.
        prefix: See ``places.bound``.
        address: See ``places.bound``.
        hurried: Once set, nobody is waited for at the end; None: it never is.

    Yields:
        The port; 0 on a Unix socket.

    Raises:
        CannotListen: If the place is taken.
    """
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    aiohttp_server = cast("web.Server", runner.server)
    try:
        with bound(address, port, prefix) as sock:
            is_unix = address.startswith(UNIX)
            serve = loop.create_unix_server if is_unix else loop.create_server
            server = await serve(
                lambda: Front(host, aiohttp_server, loop), sock=sock, backlog=BACKLOG
            )
            yield 0 if is_unix else sock.getsockname()[1]
            server.close()
            host.hang_up_all("drain")
            if hurried is None or not hurried.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FLUSH_S):
                        await host.doors.empty()
    finally:
        await runner.cleanup()
