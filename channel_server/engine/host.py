"""What a listener serves: one set of limits, doors and answers behind one port."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from channel_server.engine.doors import Doors
    from channel_server.engine.front import Front
    from channel_server.engine.http import Replies
    from channel_server.engine.options import Options
    from channel_server.engine.polling import Polling
    from channel_server.engine.request import Request
    from channel_server.engine.turns import Turns


class Endpoint(Protocol):
    """Serves the requests that are the host's own; aiohttp serves the others."""

    def is_own(self, path: str, *, is_upgrade: bool) -> bool:
        """Tell whether a request is for this endpoint."""
        ...

    def begin_post(self, front: Front, query: str) -> bool:
        """The body of a POST is still to come. Return False if the request was refused."""
        ...

    def end_post(self, polling: Polling | None) -> None:
        """The body is here; ``polling`` is who holds the connection."""
        ...

    def serve(self, front: Front, request: Request) -> None:
        """Answer one request, now or later, on the connection it came from."""
        ...


class Host(Protocol):
    """What connections need of the server they belong to.

    Attributes:
        options: Limits.
        replies: Builds answers.
        doors: Counts connections.
        newcomers: Turns in which the first words of a connection are read.
    """

    options: Options
    replies: Replies
    doors: Doors
    newcomers: Turns

    @property
    def endpoint(self) -> Endpoint:
        """Serves what aiohttp does not."""
        ...

    def hang_up_all(self, reason: str) -> None:
        """Close every connection."""
        ...
