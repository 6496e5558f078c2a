"""Where a Redis is, and who we are there. Behind Sentinels it is asked for at every connect."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from redis.asyncio.connection import SSLConnection, parse_url

from channel_server.adapters.cluster import node_of
from channel_server.adapters.refusals import words_of
from channel_server.adapters.sentinels import primary_of
from channel_server.errors import RedisLost
from publisher.contract.redis_url import Kind, read_url

if TYPE_CHECKING:
    import ssl

    from publisher.contract.redis_url import RedisUrl

_FILES: Final = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


class Address(NamedTuple):
    """A Redis URL, read.

    Attributes:
        kind: How it was found.
        path: Of a Unix socket; "" for TCP.
        host: Name or IP address.
        port: TCP port.
        tls: How to encrypt; None to do without.
        user: Of an ACL; "" for the default user.
        password: "" if there is none.
        database: Number.
    """

    kind: Kind
    path: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str
    password: str
    database: int

    @classmethod
    async def of(cls, url: str) -> Self:
        """Find out where a URL leads just now.

        Args:
            url: As ``publisher.contract.redis_url`` has them.

        Raises:
            RedisLost: If a file that it names for TLS cannot be used, or no Sentinel knows.
        """
        read = read_url(url)
        options: dict[str, Any] = dict(parse_url(read.direct))
        is_tls = options.pop("connection_class", None) is SSLConnection
        tls = _tls_of(options) if is_tls else None
        parts: dict[str, Any] = dict(parse_url(await _FIND[read.kind](read)))
        return cls(
            kind=read.kind,
            path=parts.get("path", ""),
            host=parts.get("host", "localhost"),
            port=parts.get("port", 6379),
            tls=tls,
            user=parts.get("username", ""),
            password=parts.get("password", ""),
            database=parts.get("db", 0),
        )

    async def connect(self, protocol: asyncio.Protocol) -> None:
        """Connect. Raises ``OSError``."""
        loop = asyncio.get_running_loop()
        if self.path:
            await loop.create_unix_connection(lambda: protocol, self.path)
        else:
            await loop.create_connection(lambda: protocol, self.host, self.port, ssl=self.tls)


async def _named(url: RedisUrl) -> str:
    return url.direct


_FIND: Final = {Kind.DIRECT: _named, Kind.SENTINEL: primary_of, Kind.CLUSTER: node_of}


def _tls_of(parts: dict[str, Any]) -> ssl.SSLContext:
    """Make the context. Raises ``RedisLost`` with the option that is wrong."""
    for name in _FILES:
        if name in parts:
            try:
                Path(parts[name]).stat()
            except OSError as error:
                raise RedisLost(f"{name}: {os.strerror(error.errno or 0)}") from None
    try:
        return SSLConnection(**parts).ssl_context.get()
    except OSError as error:  # ssl.SSLError is one
        names = " or ".join(name for name in _FILES if name in parts)
        raise RedisLost(f"{names}: {words_of(error)}") from None
