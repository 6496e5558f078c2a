"""See what one user sees: a client of a running server that prints what it receives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import orjson
import socketio
from socketio.exceptions import ConnectionError as CannotConnect

from channel_server.errors import MissingPart

if TYPE_CHECKING:
    from collections.abc import Callable


async def tail(url: str, token: str | None, show: Callable[[str, str], None]) -> None:
    """Connect as the owner of a token and show every event until cancelled.

    Args:
        url: Of the server, such as ``http://localhost:5000``.
        token: Channel token; None is a visitor, who only gets notices.
        show: Called with the event's name and its argument as one line of JSON.

    Raises:
        MissingPart: If no server lets us in there.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise MissingPart("the server's address", "give --url like http://localhost:5000")
    async with aiohttp.ClientSession() as session:
        client = _client(session, show)
        query = urlencode({"channel_token": token or "null"})
        try:
            await client.connect(f"{url.rstrip('/')}/?{query}", transports=["websocket"])
            await client.wait()
        except (CannotConnect, aiohttp.ClientError):
            remedy = f"`channel-server doctor --url {url}` tries every step of the way"
            raise MissingPart(f"an answer from a server at {url}", remedy) from None
        finally:
            await client.disconnect()


def _client(session: aiohttp.ClientSession, show: Callable[[str, str], None]) -> Any:
    """A client that shows what happens to it."""
    client = socketio.AsyncClient(http_session=session, handle_sigint=False)

    async def connected() -> None:
        show("connect", orjson.dumps({"sid": client.get_sid()}).decode())

    async def disconnected(reason: str) -> None:
        show("disconnect", orjson.dumps({"reason": reason}).decode())

    async def received(event: str, *arguments: Any) -> None:
        if event == "offset":  # between the server and the library of a browser
            return
        show(event, orjson.dumps(arguments[0] if arguments else None).decode())

    client.on("connect", connected)
    client.on("disconnect", disconnected)
    client.on("*", received)
    return client
