"""The listening socket: one port for the host's own and for everything else."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING, Final, cast

from aiohttp import web

from channel_server.engine.front import Front
from channel_server.errors import CannotListen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channel_server.engine.host import Host

_BACKLOG: Final = 4096
"""Connections that may wait to be accepted: all clients of a site return at once."""

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
    setting: str = "PORT",
) -> AsyncIterator[int]:
    """Accept connections on all interfaces; at the end, hang up on all clients.

    Args:
        host: Serves what is its own, such as the Socket.IO path.
        app: Serves every other path.
        port: TCP port; 0 takes a free one.
        setting: Name of the variable that chooses the port.
        address: Of this machine; "" for all of them.
        hurried: Once set, nobody is waited for at the end; None: it never is.

    Yields:
        The port.

    Raises:
        CannotListen: If the port is taken.
    """
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    aiohttp_server = cast("web.Server", runner.server)
    try:
        with _bind(port, address, setting) as sock:
            server = await loop.create_server(
                lambda: Front(host, aiohttp_server, loop), sock=sock, backlog=_BACKLOG
            )
            yield sock.getsockname()[1]
            server.close()
            host.hang_up_all("drain")
            if hurried is None or not hurried.is_set():
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_FLUSH_S):
                        await host.doors.empty()
    finally:
        await runner.cleanup()


def _bind(port: int, address: str, setting: str) -> socket.socket:
    """One socket, for IPv4 and IPv6 where the system has both and no address is given."""
    if not address and socket.has_dualstack_ipv6():
        # It may be there and yet switched off, as in many containers.
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return socket.create_server((address, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise CannotListen(port, os.strerror(error.errno or 0), setting) from error
