"""Where a Redis is, and who we are there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from redis.asyncio.connection import SSLConnection, parse_url

if TYPE_CHECKING:
    import ssl


class Address(NamedTuple):
    """A Redis URL, read.

    Attributes:
        path: Of a Unix socket; "" for TCP.
        host: Name or IP address.
        port: TCP port.
        tls: How to encrypt; None to do without.
        user: Of an ACL; "" for the default user.
        password: "" if there is none.
        database: Number.
    """

    path: str
    host: str
    port: int
    tls: ssl.SSLContext | None
    user: str
    password: str
    database: int

    @classmethod
    def of(cls, url: str) -> Self:
        """Read a URL.

        Args:
            url: ``redis://``, ``rediss://`` or ``unix://``, as redis-py has them.

        Raises:
            OSError: If a file that it names for TLS cannot be read.
        """
        parts: dict[str, Any] = dict(parse_url(url))
        is_tls = parts.pop("connection_class", None) is SSLConnection
        return cls(
            path=parts.get("path", ""),
            host=parts.get("host", "localhost"),
            port=parts.get("port", 6379),
            tls=SSLConnection(**parts).ssl_context.get() if is_tls else None,
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
