"""HTTP requests, as few of them as the driver needs: short ones over a kept connection."""

import asyncio
from typing import NamedTuple

from tests.chaos.tcp import Lost, Tcp


class Response(NamedTuple):
    """Status, and the whole body."""

    status: int
    body: bytes


async def ask(tcp: Tcp, target: str, body: str | None = None) -> Response:
    """Send a GET, or a POST if there is a body, and wait for its response.

    Raises:
        Lost: If none comes.
    """
    head = f"{'GET' if body is None else 'POST'} {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    if body is None:
        tcp.write(f"{head}\r\n".encode())
    else:
        content = f"Content-Type: text/plain;charset=UTF-8\r\nContent-Length: {len(body)}\r\n"
        tcp.write(f"{head}{content}\r\n{body}".encode())
    lines = (await tcp.read_head()).decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(":") for line in lines)}
    return Response(int(lines[0].split()[1]), await tcp.read(int(headers["content-length"])))


async def get(port: int, target: str, *, within_s: float = 2.0) -> Response | None:
    """Ask once over a new connection. None if there is no answer in time."""
    request = f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(within_s):
            tcp = await Tcp.open(port)
            try:
                tcp.write(request.encode())
                response = await tcp.read_all()
            finally:
                tcp.reset()
    except (Lost, TimeoutError):
        return None
    head, blank_line, body = response.partition(b"\r\n\r\n")
    return Response(int(head.split()[1]), body) if blank_line else None
