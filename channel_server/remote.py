"""A running server, asked and told at its internal port."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import msgspec

from channel_server.errors import CannotAsk
from channel_server.origins import in_url
from channel_server.web.operator import Info

if TYPE_CHECKING:
    from channel_server.admin_config import AdminSettings

_WITHIN: Final = aiohttp.ClientTimeout(total=10)
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asks, binds nothing
_LOOK_S: Final = 0.2


class Remote:
    """The internal port of one server.

    Args:
        settings: Where it is, and the key.

    Raises:
        CannotAsk: If there is none.
    """

    def __init__(self, settings: AdminSettings) -> None:
        if not settings.port:
            raise CannotAsk("no port", "ADMIN_PORT=0 switches the internal port off")
        host = _EVERYWHERE.get(settings.host, settings.host)
        self._url = f"http://{in_url(host)}:{settings.port}"
        self._key = settings.api_key

    async def info(self) -> dict[str, Any]:
        """``GET /api/info``. Raises ``CannotAsk``."""
        told = await self._ask("GET", "/api/info")
        try:
            msgspec.convert(told, Info)
        except msgspec.ValidationError:
            raise CannotAsk(self._url, "another program answers") from None
        return told

    async def drain(self) -> int:
        """Tell it to go away. Return how many clients it has. Raises ``CannotAsk``."""
        clients: int = (await self._ask("POST", "/api/drain"))["clients"]
        return clients

    async def gone(self, node: str, within_s: float) -> bool:
        """Wait until a node is gone. Return False if it is still there then.

        Args:
            node: Its name: another one at the same place is the next one, which was started
                instead.
            within_s: Seconds to wait at most.
        """
        try:
            async with asyncio.timeout(within_s):
                while True:
                    if await self._is_gone(node):
                        return True
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            return False

    async def _is_gone(self, node: str) -> bool:
        try:
            return bool((await self.info())["node"] != node)
        except CannotAsk as error:
            return error.is_gone

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        try:
            async with (
                aiohttp.ClientSession(timeout=_WITHIN, trust_env=False) as session,
                session.request(method, f"{self._url}{path}", headers=headers) as answer,
            ):
                body = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            is_gone = isinstance(error, aiohttp.ClientConnectionError)
            raise CannotAsk(self._url, _reason(error), is_gone=is_gone) from None
        if not isinstance(body, dict):
            raise CannotAsk(self._url, "another program answers")
        if answer.status == HTTPStatus.NOT_FOUND:
            raise CannotAsk(self._url, "not `serve` but another server is there: it has no API")
        if answer.status not in {HTTPStatus.OK, HTTPStatus.ACCEPTED}:
            raise CannotAsk(self._url, str(body.get("error", f"status {answer.status}")))
        return body


def _reason(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return "nobody listens there: does the server run, and is ADMIN_PORT right?"
    if isinstance(error, aiohttp.ContentTypeError):
        return "that is not the internal port of a server"
    return type(error).__name__
