"""Clients that do not read: bounded memory for each, and an end to their patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_server.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.client import Client
    from channel_server.engine.options import Options


class SlowClients:
    """Hangs up on clients that stay over the limit, or pass the ceiling at any moment.

    The largest message that a client has not read does not count against the ceiling: the next one
    may come before anybody could have read it. So no more than both waits for one client.

    Args:
        options: ``write_limit``, ``write_ceiling``, ``write_timeout_s``.
        clock: Monotonic seconds.
    """

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._over: Deadlines[Client] = Deadlines(options.write_timeout_s, clock)
        self._large: dict[Client, int] = {}

    def watch(self, client: Client, unread_bytes: int, adding_bytes: int = 0) -> None:
        """Note how much a client has left unread just now.

        Args:
            client: Which one.
            unread_bytes: What it has not read.
            adding_bytes: One message more.
        """
        if client.is_paced:
            return
        options, total = self._options, unread_bytes + adding_bytes
        large = max(self._large.get(client, 0), adding_bytes)
        if total - large > options.write_ceiling:
            client.hang_up("slow")
            return
        if large > options.write_limit:
            self._large[client] = large
        if total > options.write_limit and client not in self._over:
            self._over.start(client)

    def forget(self, client: Client) -> None:
        """The client has caught up, or is gone."""
        self._over.stop(client)
        self._large.pop(client, None)

    def expire(self) -> None:
        """Hang up on those that have been over the limit for too long."""
        for client in self._over.expired():
            self._large.pop(client, None)
            client.hang_up("slow")

    def __len__(self) -> int:
        return len(self._over)
