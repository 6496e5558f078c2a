"""How much one address may have and ask, when proxies in front of us tell who it is."""

from __future__ import annotations

import ipaddress
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.options import Network, Options


_WINDOW_S: Final = 1.0


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
        """The last address that was not added by one of our own proxies.

        Args:
            peer: Address of the TCP connection.
            forwarded: All of ``X-Forwarded-For``, or "".
        """
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
