"""Is there room on this machine, and are the ports free, or ours already?"""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import Final

import aiohttp

from channel_server.descriptors import most_connections
from channel_server.doctor.finding import Finding, ill, unasked, well
from channel_server.engine.places import UNIX, bound
from channel_server.errors import CannotListen
from channel_server.origins import in_url

FULL: Final = "too many connections"
"""What a server answers that takes no more."""

_FEW: Final = 4096
_MUCH: Final = 200
_WITHIN: Final = aiohttp.ClientTimeout(total=5)


def examine_descriptors() -> Finding:
    """How many clients there can be."""
    what, most = "File descriptors", most_connections()
    if most < _FEW:
        return ill(
            what,
            f"room for {most} connections",
            "raise the limit: LimitNOFILE=1048576 in systemd, `ulimits: nofile` in compose",
        )
    return well(what, f"room for {most} connections")


async def examine_port(name: str, host: str, port: int) -> Finding:
    """Whether a server could listen, or does.

    Args:
        name: Of the variable that chooses the port.
        host: "" for all addresses.
        port: The port.
    """
    if host.startswith(UNIX):
        return unasked(name, f"not looked at: HOST is {host}")
    if port == 0:
        return unasked(name, "0")
    trouble = _trouble_with(host, port, name.removesuffix("PORT"))
    if trouble is None:
        return unasked(name, f"{port} is free: no server runs here")
    cause = trouble.__cause__
    if not (isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE):
        said = f"{trouble.place} cannot be opened: {trouble.reason}"
        right = ", or give the right to open it" if trouble.setting == name else ""
        return ill(name, said, f"choose another one with {trouble.setting}{right}")
    return _judge(name, port, await _status_of(host or "127.0.0.1", port))


def _judge(name: str, port: int, status: str | None) -> Finding:
    """What to say of a port that somebody listens on."""
    if status is None:
        said = f"{port} is taken by another program"
        return ill(name, said, f"end it, or choose another port with {name}")
    if status == FULL:
        said = f"{port} is ours, and has {FULL}"
        return ill(name, said, "raise MAX_CONNECTIONS, or the file descriptors, or add a node")
    if status == "ok":
        return well(name, f"{port} is ours: a server runs, and is {status}")
    if status == "degraded":
        return unasked(name, f"{port} is ours: a server runs, and is degraded", "/ready says why")
    return ill(name, f"{port} is ours, and the server is {status}", "its log, and /ready, say why")


def _trouble_with(host: str, port: int, prefix: str) -> CannotListen | None:
    try:
        with bound(host, port, prefix):
            return None
    except CannotListen as error:
        return error


async def _status_of(host: str, port: int) -> str | None:
    """What ``GET /live`` says there; None if nobody of ours answers."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_WITHIN, trust_env=False) as session,
            session.get(f"http://{in_url(host)}:{port}/live") as answer,
        ):
            if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
                return FULL if await _text_of(answer) == FULL else None
            body = await answer.json() if answer.status == HTTPStatus.OK else None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return None
    status = body.get("status") if isinstance(body, dict) else None
    return status if isinstance(status, str) else None


async def _text_of(answer: aiohttp.ClientResponse) -> str:
    return (await answer.content.read(_MUCH)).decode(errors="replace")
