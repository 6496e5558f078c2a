"""How many sessions one address may have, when proxies in front of us tell who it is."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channel_server.engine.options import Network, Options


class Addresses:
    """Counts sessions per client address.

    Off without trusted proxies: behind an unknown proxy all clients share one address, and
    what ``X-Forwarded-For`` says of itself is not believed.

    Args:
        options: ``trusted_proxies`` and ``max_per_address``.
    """

    def __init__(self, options: Options) -> None:
        self._trusted = options.trusted_proxies
        self._max = options.max_per_address
        self._sessions: Counter[str] = Counter()

    @property
    def are_counted(self) -> bool:
        """Whether there is a limit."""
        return bool(self._trusted)

    def enter(self, peer: str, forwarded: str) -> str | None:
        """Count a session.

        Args:
            peer: Address of the TCP connection.
            forwarded: All of ``X-Forwarded-For``, or "".

        Returns:
            The client's address, for ``leave``; None if it has its share already.
        """
        address = self._client(peer, forwarded)
        if self._sessions[address] >= self._max:
            return None
        self._sessions[address] += 1
        return address

    def leave(self, address: str) -> None:
        """A session has ended."""
        self._sessions[address] -= 1
        if not self._sessions[address]:
            del self._sessions[address]

    def _client(self, peer: str, forwarded: str) -> str:
        """The last address that was not added by one of our own proxies."""
        path = [*(hop.strip() for hop in forwarded.split(",")), peer]
        while len(path) > 1 and _is_within(path[-1], self._trusted):
            path.pop()
        return path[-1]


def _is_within(text: str, networks: tuple[Network, ...]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)
