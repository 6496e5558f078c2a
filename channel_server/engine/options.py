"""What an operator, or a test, can choose about the engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Cors:
    """Which web pages may call us.

    The Node program sends the same header to every caller and refuses nobody (contract 6.4).

    Attributes:
        origin: Value of ``Access-Control-Allow-Origin``; None allows every page.
        strict: Refuse requests whose ``Origin`` is another one.
    """

    origin: str | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Limits and intervals; the defaults are those of engine.io 6.6 where it has them.

    Attributes:
        path: Path of the endpoint, with both slashes.
        ping_interval_s: From one ping to the next.
        ping_timeout_s: From a ping to the pong that must follow.
        upgrade_timeout_s: From the probe socket to the end of the upgrade.
        connect_timeout_s: From the TCP connection to the first request, and from the open packet
            to the moment the session is confirmed (``Engine.confirm``); None waits for ever.
        request_timeout_s: From the head of a POST to the end of its body.
        idle_timeout_s: A keep-alive connection without a request is closed after this.
        max_payload: Bytes of one message, or of one POST, from a client.
        max_packets_per_s: Packets and frames of one client in any second.
        write_limit: Unread bytes at which a client counts as slow.
        write_timeout_s: How long it may stay slow before it is hung up.
        max_connections: TCP connections; further ones get 503.
        trusted_proxies: Whose ``X-Forwarded-For`` is believed; without any, addresses are not
            counted.
        max_per_address: Sessions of one client address.
        max_requests_per_address: Requests of one client address in any second.
        cors: Which web pages may call.
    """

    path: str = "/socket.io/"
    ping_interval_s: float = 25.0
    ping_timeout_s: float = 20.0
    upgrade_timeout_s: float = 10.0
    connect_timeout_s: float | None = 10.0
    request_timeout_s: float = 30.0
    idle_timeout_s: float = 75.0
    max_payload: int = 1_000_000
    max_packets_per_s: int = 1000
    write_limit: int = 1024 * 1024
    write_timeout_s: float = 5.0
    max_connections: int = 100_000
    trusted_proxies: tuple[Network, ...] = ()
    max_per_address: int = 1000
    max_requests_per_address: int = 500
    cors: Cors = field(default_factory=Cors)

    @property
    def write_ceiling(self) -> int:
        """Unread bytes at which a client is hung up at once.

        Eight times the limit: a healthy client shows megabytes right after a burst that was
        written in one turn of the loop.
        """
        return 8 * self.write_limit
