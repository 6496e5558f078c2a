"""A client as limits and heartbeat see it."""

from __future__ import annotations

from typing import Protocol


class Client(Protocol):
    """Somebody who can be pinged, and hung up on.

    Attributes:
        is_paced: Whoever writes looks at what is unread first: the client is not hung up for
            being slow.
    """

    is_paced: bool

    @property
    def is_open(self) -> bool:
        """Whether the client can still be written to."""
        ...

    def ping(self) -> None:
        """Ask for a sign of life."""
        ...

    def hang_up(self, reason: str) -> None:
        """Close the connection so that the client reconnects; unread data is thrown away."""
        ...
