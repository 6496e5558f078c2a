"""Can browsers reach the server where the application sends them: through name, TLS and proxy?"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
import orjson

from channel_server.doctor.finding import Finding, ill, unasked, well
from channel_server.doctor.machine import FULL

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_WITHIN: Final = aiohttp.ClientTimeout(total=10)
_POLLING: Final = "Polling"
_WEBSOCKET: Final = "WebSocket"
_CORS: Final = "CORS"
_POLLS: Final = 4

_REMEDIES: Final[Mapping[int, str]] = {
    400: "is there another program behind it, or a proxy that drops the query?",
    401: "the proxy wants a password: browsers have none to show",
    403: "the proxy, or ORIGIN_CHECK, refuses",
    404: "the proxy does not pass /socket.io/ on, or passes it on to another port",
    429: "all of the site may count as one address: does TRUSTED_PROXIES name all proxies?",
    502: "the proxy cannot reach the server: is it running, on the port that the proxy knows?",
    503: "the server is not ready: its /ready, and its log, say why",
    504: "the proxy gets no answer: its time-out must be more than 45 s",
}


class _Answer(NamedTuple):
    status: int
    body: bytes
    headers: Mapping[str, list[str]]


async def examine_public(url: str, origin: str | None) -> AsyncIterator[Finding]:
    """Connect as a browser does, to a server for live updates.

    Args:
        url: Where the application's pages connect to, such as ``https://channels.example.org``.
        origin: Of these pages; None if every page may call.
    """
    if not url.startswith(("http://", "https://")):
        yield ill("Public address", "it has no scheme", "write https:// or http:// before it")
        return
    base = f"{url.rstrip('/')}/socket.io/?EIO=4"
    headers = {"Origin": origin or "https://a-page.example"}
    # Each request on a connection of its own, and no cookie: so a proxy decides anew each time.
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_WITHIN,
        headers=headers,
    ) as session:
        polling, opened = await _polling(session, base)
        yield polling
        if opened is None:
            return
        yield _cors(opened, origin)
        yield await _stickiness(session, base, opened)
        yield await _websocket(session, base)


async def _ask(session: aiohttp.ClientSession, url: str, body: bytes | None = None) -> _Answer:
    method = "GET" if body is None else "POST"
    async with session.request(method, url, data=body, allow_redirects=False) as answer:
        names = {name.lower() for name in answer.headers}
        headers = {name: answer.headers.getall(name) for name in names}
        return _Answer(answer.status, await answer.content.read(4096), headers)


async def _polling(session: aiohttp.ClientSession, base: str) -> tuple[Finding, _Answer | None]:
    try:
        opened = await _ask(session, f"{base}&transport=polling")
    except (aiohttp.ClientError, TimeoutError) as error:
        return ill(_POLLING, f"no answer: {type(error).__name__}", _about(error)), None
    finding = _judge(opened)
    return finding, opened if finding.is_well else None


def _judge(opened: _Answer) -> Finding:
    """What to say of the answer to the first request."""
    status, body = opened.status, opened.body
    if status in range(300, 400):
        remedy = "give the address it leads to, and the application, too (CHANNELS_URL)"
        return ill(_POLLING, f"a redirect ({status})", remedy)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and body == FULL.encode():
        return ill(_POLLING, FULL, "raise MAX_CONNECTIONS, or the file descriptors, or add a node")
    if status != HTTPStatus.OK:
        is_limit = status == HTTPStatus.TOO_MANY_REQUESTS
        said = body.decode(errors="replace") if is_limit else f"status {status}"
        return ill(_POLLING, said, _REMEDIES.get(status, "see the log of the proxy"))
    if _sid(body) is None:
        return ill(_POLLING, "another program answers", "correct the proxy, or the address")
    return well(_POLLING, "a session was opened")


def _about(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the name is unknown: add a record for it to the DNS"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the certificate is not valid for this name: extend it (loomio-deploy: LETSENCRYPT_HOST)"
    if isinstance(error, aiohttp.ClientSSLError):
        return "there is no TLS on that port: is it http://?"
    if isinstance(error, TimeoutError):
        return "is there a firewall, or a proxy that waits for a server that is not there?"
    return "is the proxy running, and the port open?"


def _sid(body: bytes) -> str | None:
    try:
        sid = orjson.loads(body[1:])["sid"]
    except (ValueError, TypeError, KeyError):
        return None
    return sid if body[:1] == b"0" and isinstance(sid, str) else None


def _cors(opened: _Answer, origin: str | None) -> Finding:
    found = opened.headers.get("access-control-allow-origin", [])
    if len(found) > 1:
        return ill(
            _CORS,
            "the header comes twice: browsers refuse that",
            "the proxy must not add Access-Control-Allow-Origin: the server does",
        )
    if not found:
        return ill(_CORS, "no Access-Control-Allow-Origin", "the proxy must not take headers away")
    if origin is None:
        said = "any page may call" if found[0] == "*" else f"pages of {found[0]} may call"
        return unasked(_CORS, said, "is that the address in the browser's address bar?")
    if found[0] not in {origin, "*"}:
        remedy = f"set PUBLIC_APP_URL={origin} where the server runs, and start it again"
        return ill(_CORS, f"pages of {found[0]} may call, not those of {origin}", remedy)
    return well(_CORS, f"pages of {origin} may call: the address in the browser's address bar?")


async def _stickiness(session: aiohttp.ClientSession, base: str, opened: _Answer) -> Finding:
    """Every request of a session has to reach the node that has it."""
    what, polling = "Sessions stay", f"{base}&transport=polling&sid={_sid(opened.body)}"
    try:
        for _ in range(_POLLS):
            answer = await _ask(session, polling, b"3")
            if answer.status != HTTPStatus.OK:
                return ill(
                    what,
                    f"a later request of a session is answered {answer.status}",
                    "with two or more nodes, the proxy must be sticky: docs/operations.md",
                )
        await _ask(session, polling, b"1")
    except (aiohttp.ClientError, TimeoutError) as error:
        return ill(what, f"no answer: {type(error).__name__}", _about(error))
    return well(what, "all requests reach the node that has the session")


async def _websocket(session: aiohttp.ClientSession, base: str) -> Finding:
    url = f"{base}&transport=websocket"
    try:
        # The session's own limit ends with the handshake.
        async with (
            asyncio.timeout(_WITHIN.total),
            session.ws_connect(url, max_msg_size=4096) as socket,
        ):
            first = await socket.receive_str()
    except aiohttp.WSServerHandshakeError as error:
        return ill(
            _WEBSOCKET,
            f"status {error.status} instead of 101",
            "the proxy must pass WebSocket upgrades on (Upgrade and Connection headers)",
        )
    except (aiohttp.ClientError, TimeoutError, TypeError) as error:
        return ill(_WEBSOCKET, f"no answer: {type(error).__name__}", _about(error))
    if _sid(first.encode()) is None:
        return ill(_WEBSOCKET, "another program answers", "correct the proxy, or the address")
    return well(_WEBSOCKET, "a session was opened")
