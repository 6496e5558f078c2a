"""All processes of a soak: Redis, the two servers, and the application that one of them asks."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Self

from tests.bench.scraping import scraping
from tests.collab.servers import Application
from tests.conftest import RedisServer
from tests.soak.server import Soaked

if TYPE_CHECKING:
    from pathlib import Path


class Stage:
    """A context manager: it ends with the block.

    Args:
        folder: For the socket of Redis, so with a short path, and for output.

    Attributes:
        redis: The process.
        serve, collab: The servers; ready in the block.
        problems: What went wrong; complete after the block.
    """

    def __init__(self, folder: Path) -> None:
        self.problems: list[str] = []
        self.redis = RedisServer(folder)
        self._folder = folder
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with self._cleanup as undo:
            undo.callback(self.redis.stop)
            self.redis.start()
            application = undo.enter_context(Application())
            application.asked = deque(maxlen=0)  # nobody reads what it was asked
            self.serve = self._start("serve")
            self.collab = self._start("collab", PRIVATE_APP_URL=application.url)
            self._cleanup = undo.pop_all()
        return self

    def _start(self, command: str, **settings: str) -> Soaked:
        server = Soaked(command, self._folder, REDIS_URL=self.redis.url, **settings)
        self._cleanup.callback(self._stop, server)
        server.until_ready()
        unread = self._cleanup.enter_context(scraping(server.admin_port))
        self._cleanup.callback(lambda: self.problems.extend(unread))
        return server

    def _stop(self, server: Soaked) -> None:
        if not server.is_running():
            self.problems.append(f"{server.command} ended before the soak did")
        server.stop()
        self.problems += server.problems()

    def __exit__(self, *error: object) -> None:
        self._cleanup.__exit__(*error)

    @property
    def servers(self) -> list[Soaked]:
        """Those whose memory counts."""
        return [self.serve, self.collab]
