"""How much one address may have and ask, when proxies in front of us tell who it is."""

from __future__ import annotations

import ipaddress
from collections import Counter
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.options import Options

Address = IPv4Address | IPv6Address

UNIX_PEER: Final = "unix"
"""Peer of a connection to a Unix socket."""

_WINDOW_S: Final = 1.0
_FIRST_64_BITS: Final = ((1 << 64) - 1) << 64


class Addresses:
    """Counts sessions and requests per client address.

    Off without trusted proxies: behind an unknown proxy all clients share one address, and
    what ``X-Forwarded-For`` says of itself is not believed.

    Args:
        options: ``trusted_proxies``, ``max_per_address`` and ``max_requests_per_address``.
        clock: Monotonic seconds.
    """

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._trusted = options.trusted_proxies
        self._max_sessions = options.max_per_address
        self._max_requests = options.max_requests_per_address
        self._clock = clock
        self._ends_at_s = clock() + _WINDOW_S
        self._sessions: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()

    @property
    def are_counted(self) -> bool:
        """Whether there is a limit."""
        return bool(self._trusted)

    def asks(self, address: str) -> bool:
        """Count a request. Return False if it is one too many in the current second."""
        now_s = self._clock()
        if now_s >= self._ends_at_s:
            self._requests.clear()
            self._ends_at_s = now_s + _WINDOW_S
        self._requests[address] += 1
        return self._requests[address] <= self._max_requests

    def enter(self, address: str) -> bool:
        """Count a session, until ``leave``. Return False if the address has its share already."""
        if self._sessions[address] >= self._max_sessions:
            return False
        self._sessions[address] += 1
        return True

    def leave(self, address: str) -> None:
        """A session has ended."""
        self._sessions[address] -= 1
        if not self._sessions[address]:
            del self._sessions[address]

    def client(self, peer: str, forwarded: str) -> str:
        """Whom a request counts for: the last address that is not of one of our own proxies.

        Args:
            peer: Address of the TCP connection, or ``UNIX_PEER``, which is a proxy of ours.
            forwarded: All of ``X-Forwarded-For``, or "".

        Returns:
            An IPv4 address, or the /64 of an IPv6 address: that is what one client gets. What is
            no address counts for the proxy that has passed it on.
        """
        hops = forwarded.split(",")
        client = _address(hops.pop() if peer == UNIX_PEER else peer)
        while client is not None and hops and self._is_trusted(client):
            address = _address(hops.pop())
            if address is None:
                break
            client = address
        return peer if client is None else _counted(client)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def _address(text: str) -> Address | None:
    """Read an address, with or without a port, brackets and a zone; None if it is none."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _counted(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return f"{IPv6Address(int(address) & _FIRST_64_BITS)}/64"
