"""HTTP requests to servers that strangers have named: to public addresses only, and bounded.

Group admins choose a homeserver's address. Without a guard they could reach what only this machine
may reach: a database, a router, the metadata of a cloud.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final, Self
from urllib.parse import urlsplit

import aiohttp
import orjson
from aiohttp.resolver import AsyncResolver
from yarl import URL

from channel_server.errors import AddressRefused, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from aiohttp.abc import AbstractResolver

_MAX_ANSWER_BYTES: Final = 64 * 1024
_PIECE_BYTES: Final = 16 * 1024
_CONNECT_S: Final = 10.0
_KEEP_S: Final = 2.0
"""For the rest of a burst. A thousand servers, each with a TLS connection, would be 50 MB."""

_REASONS: Final[Mapping[type[Exception], str]] = {
    TimeoutError: "no answer in time",
    ConnectionRefusedError: "connection refused",
    aiohttp.ServerDisconnectedError: "hung up without an answer",
    ConnectionResetError: "hung up without an answer",
    aiohttp.ClientPayloadError: "an answer that was cut off",
    aiohttp.ClientResponseError: "an answer that is not HTTP",
    OSError: "no connection",
}
"""The first that fits."""

_NAT64: Final = IPv6Network("64:ff9b::/96")
_IPV6: Final = IPv6Network("2000::/3")
_NOT_IPV6: Final = tuple(
    IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
_NOT_IPV4: Final = tuple(IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24"))
"""IANA's registries of special addresses, where Python's ``is_global`` differs by its version."""

_LOW_32_BITS: Final = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    Attributes:
        status: HTTP status.
        document: The body if it is a JSON object, else empty.
        retry_after: The header of this name.
    """

    status: int
    document: Mapping[str, Any]
    retry_after: str


class GuardedHttp:
    """Requests with JSON in and out: no redirects, no cookies, no proxies, no compression.

    Args:
        allowed: Host names and addresses that may be reached although they are not public.
        timeout_s: For a request as a whole.
        resolver: Looks names up; by default c-ares: names that nobody answers for would fill up
            the threads in which the system's own functions wait, and Redis is looked up there, too.
    """

    def __init__(
        self,
        allowed: frozenset[str],
        *,
        timeout_s: float,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed = frozenset(name.lower().rstrip(".") for name in allowed)
        self._addresses = frozenset(
            address for name in self._allowed if (address := _address_of(name)) is not None
        )
        self._timeout = aiohttp.ClientTimeout(
            total=timeout_s, connect=min(timeout_s, _CONNECT_S), ceil_threshold=float("inf")
        )
        self._given_resolver = self._resolver = resolver
        self._guarded: aiohttp.ClientSession | None = None
        self._trusted: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._resolver = resolver = self._given_resolver or AsyncResolver()
        self._guarded = _session(self._timeout, resolver, self._open)
        self._trusted = _session(self._timeout, resolver, _open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for session in (self._guarded, self._trusted):
            if session is not None:
                await session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def request(
        self, method: str, url: str, *, token: str, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """Ask a server.

        Args:
            method: HTTP method.
            url: ``http`` or ``https``; it is sent exactly as it is written.
            token: For the header ``Authorization``.
            body: Sent as JSON.

        Raises:
            AddressRefused: If the server's address is not public, and not allowed.
            ServerUnreachable: If no answer came, none in time, or one without an end.
        """
        headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": "identity"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = orjson.dumps(body)
        host = (urlsplit(url).hostname or "").rstrip(".")
        session = self._trusted if host in self._allowed else self._guarded
        assert session is not None, "used outside of its context"
        try:
            async with session.request(
                method,
                URL(url, encoded=True),
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as response:
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if isinstance(_cause_of(error), AddressRefused):
                raise AddressRefused from None
            raise ServerUnreachable(_reason_of(error)) from None

    def _open(self, info: Any) -> socket.socket:
        """Make the socket for an address: this is where a name has become one for good."""
        address = _address_of(info[4][0])
        if address is None or not (_is_public(address) or address in self._addresses):
            raise AddressRefused
        return _open(info)


def _open(info: Any) -> socket.socket:
    family, kind, protocol, *_ = info
    return socket.socket(family, kind, protocol)


def _session(
    timeout: aiohttp.ClientTimeout, resolver: AbstractResolver, make_socket: Any
) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        resolver=resolver, socket_factory=make_socket, limit=0, keepalive_timeout=_KEEP_S
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
    )


async def _read(response: aiohttp.ClientResponse) -> Answer:
    body = bytearray()
    while piece := await response.content.read(_PIECE_BYTES):
        body += piece
        if len(body) > _MAX_ANSWER_BYTES:
            response.close()
            break
    try:
        document = orjson.loads(body) if len(body) <= _MAX_ANSWER_BYTES else {}
    except orjson.JSONDecodeError:
        document = {}
    return Answer(
        response.status,
        document if isinstance(document, dict) else {},
        response.headers.get("Retry-After", ""),
    )


def _reason_of(error: Exception) -> str:
    """What is wrong, in words that quote neither the address nor the server."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be looked up"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not valid"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS with it"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time, or no TLS on it"
    cause = _cause_of(error)
    words = (words for kind, words in _REASONS.items() if isinstance(cause, kind))
    return next(words, type(cause).__name__)


def _cause_of(error: Exception) -> Exception:
    """What is behind an error of aiohttp."""
    cause = error.__cause__
    return (
        cause if isinstance(error, aiohttp.ClientError) and isinstance(cause, OSError) else error
    )


def _address_of(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return _innermost(ip_address(text.strip("[]").partition("%")[0]))
    except ValueError:
        return None


def _innermost(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & _LOW_32_BITS)
    return address.ipv4_mapped or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address is of the internet, whatever this version of Python knows about it."""
    if isinstance(address, IPv6Address):
        return address in _IPV6 and not any(address in network for network in _NOT_IPV6)
    is_special = address.is_multicast or any(address in network for network in _NOT_IPV4)
    return address.is_global and not is_special
