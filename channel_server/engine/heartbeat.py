"""Pings for all sessions from one place: no task and no timer belongs to a client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from channel_server.core import packets
from channel_server.engine.deadlines import Deadlines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from channel_server.engine.session import Session

_PING: Final = packets.text_packet(packets.PING.encode())


class Heartbeat:
    """Who gets a ping next, and whose pong is missing.

    Invariant: an open session is in exactly one of the two queues.

    Args:
        interval_s: From a pong, or the opening, to the next ping.
        timeout_s: From a ping to its pong.
        clock: Monotonic seconds.
    """

    def __init__(self, interval_s: float, timeout_s: float, clock: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._pings: Deadlines[Session] = Deadlines(interval_s, clock)
        self._pongs: Deadlines[Session] = Deadlines(timeout_s, clock)

    def start(self, session: Session) -> None:
        """Begin with a new session."""
        self._pings.start(session)

    def stop(self, session: Session) -> None:
        """Forget a closed session."""
        self._pings.stop(session)
        self._pongs.stop(session)

    def pong(self, session: Session) -> None:
        """The client is alive. A pong that no ping asked for changes nothing."""
        if session in self._pongs:
            self._pongs.stop(session)
            self._pings.start(session)

    def is_overdue(self, session: Session) -> bool:
        """Tell whether a session's time is up, even if no tick has noticed it yet."""
        until_ping_s = self._pings.left_s(session)
        if until_ping_s is not None:
            return until_ping_s + self._timeout_s <= 0
        return (self._pongs.left_s(session) or 0.0) < 0

    def beat(self, tolerance_s: float) -> Iterator[None]:
        """Hang up on the silent, ping the due; a generator, so that the caller can pause.

        Args:
            tolerance_s: Those due within this time count as due.

        Yields:
            After each session.
        """
        for session in self._pongs.expired(tolerance_s):
            session.hang_up("ping timeout")
            yield
        for session in self._pings.expired(tolerance_s):
            if session.is_open:
                self._pongs.start(session)
                session.write(_PING)
            yield
