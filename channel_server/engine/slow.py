"""Clients that do not read: bounded memory for each, and an end to their patience."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channel_server.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable

    from channel_server.engine.options import Options
    from channel_server.engine.session import Session


class SlowClients:
    """Hangs up on clients that stay over the limit, or pass the ceiling at any moment.

    Args:
        options: ``write_limit``, ``write_ceiling``, ``write_timeout_s``.
        clock: Monotonic seconds.
    """

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        self._options = options
        self._over: Deadlines[Session] = Deadlines(options.write_timeout_s, clock)

    def watch(self, session: Session, unread_bytes: int) -> None:
        """Note how much a client has left unread just now."""
        if session.is_paced:
            return
        if unread_bytes > self._options.write_ceiling:
            session.hang_up("slow")
        elif unread_bytes > self._options.write_limit and session not in self._over:
            self._over.start(session)

    def forget(self, session: Session) -> None:
        """The client has caught up, or is gone."""
        self._over.stop(session)

    def expire(self) -> None:
        """Hang up on those that have been over the limit for too long."""
        for session in self._over.expired():
            session.hang_up("slow")

    def __len__(self) -> int:
        return len(self._over)
