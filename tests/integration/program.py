"""``channel-server`` as a process whose output is kept, ready or not.

``tests.servers`` starts one that is ready; here Redis may be away, and what was logged is read.
"""

from __future__ import annotations

import asyncio
import http.client
import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Final, Self

import psutil

from tests.servers import CHANNEL_SERVER, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

STARTS_WITHIN_S: Final = 20.0
QUICK_END: Final = {"DRAIN_DELAY_SECONDS": "0", "DRAIN_SECONDS": "0", "ADMIN_PORT": "0"}
WITHOUT_BOTS: Final = {"BOTS": "0"}
"""Connections and log lines are counted here; bots, inside ``serve`` and alone: ``tests/matrix``."""

# A developer's own settings must not leak into the programs under test.
_OUR_SETTINGS: Final = re.compile(
    r"PORT|(REDIS|CACHE_REDIS)_\w+|(PUBLIC|PRIVATE)_APP_URL|APP_URL|(CANONICAL|VIRTUAL)_HOST"
    r"|\w+_(SECONDS|KIB|MIB|MINUTES|ENTRIES)|JOURNAL|PLAIN_PUBLISHERS"
    r"|BOTS|COLLAB_\w+|RAILS_ENV|MATRIX_\w+|ORIGIN_CHECK|MAX_\w+|TRUSTED_PROXIES|ADMIN_\w+|SENTRY_\w+|LOG_FORMAT|COLUMNS"
)


def environment(**settings: str) -> dict[str, str]:
    """What a program inherits, with these settings and no other setting of ours."""
    inherited = {
        name: value for name, value in os.environ.items() if not _OUR_SETTINGS.fullmatch(name)
    }
    # Rich wraps at 80 columns where there is no terminal.
    return inherited | {"COLUMNS": "200"} | settings


def run(
    *arguments: str, stdin: str = "", wrapper: tuple[str, ...] = (), **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end; ``wrapper`` as of ``Program``."""
    return subprocess.run(
        [*wrapper, CHANNEL_SERVER, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN_S,
        env=environment(**settings),
        check=False,
    )


class Program:
    """A running server. A context manager: leaving it ends the process.

    Args:
        folder: Where its output is kept.
        command: ``serve`` or ``dev``.
        wrapper: Words in front of the command, such as ``("sh", "-c", 'exec "$@"', "sh")``.
        settings: Environment variables; ``PORT`` is a free one.

    Attributes:
        port: Where it listens.
    """

    def __init__(
        self,
        folder: Path,
        command: str = "serve",
        *,
        wrapper: tuple[str, ...] = (),
        **settings: str,
    ) -> None:
        self._log = folder / "output"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*wrapper, CHANNEL_SERVER, command],
                stdout=log,
                stderr=log,
                env=environment(PORT="0", **(QUICK_END | WITHOUT_BOTS | settings)),
            )
        try:
            wait_until(self._has_port, within_s=STARTS_WITHIN_S, what="the port is open")
        except BaseException:  # pytest.fail is one: leave no process
            stop(self.process, signal.SIGKILL)
            print(self.output(), file=sys.stderr)
            raise
        self.port = int(self._listening()[1])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        print(self.output())  # shown by pytest when the test has failed

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def rss_bytes(self) -> int:
        """Memory the process holds right now."""
        return psutil.Process(self.process.pid).memory_info().rss

    def output(self) -> str:
        """All it has printed so far."""
        return self._log.read_text(errors="replace")

    def lines(self, text: str) -> list[str]:
        """Lines of the output that contain a text."""
        return [line for line in self.output().splitlines() if text in line]

    def status(self, path: str) -> int | None:
        """Status of a GET request; None if there is no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def is_ready(self) -> bool:
        return self.status("/ready") == http.HTTPStatus.OK

    def wait_ready(self) -> Self:
        """Return when it delivers."""
        wait_until(self.is_ready, within_s=STARTS_WITHIN_S, what="GET /ready answers 200")
        return self

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end. Return the exit code, see ``tests.servers.stop``."""
        return stop(self.process, number)

    def _listening(self) -> re.Match[str] | None:
        # Text or JSON.
        return re.search(r'listening\b.*?\bport"?[=:] ?(\d+)', self.output())

    def _has_port(self) -> bool:
        assert self.process.poll() is None, self.output()
        return self._listening() is not None


async def until(condition: Callable[[], bool], what: str, *, within_s: float = 15.0) -> None:
    """Wait for a condition without blocking the loop; fail the test if it does not come.

    Args:
        condition: Asked in a thread, about every 10 ms.
        what: For the failure message.
        within_s: Seconds to wait at most.
    """
    await asyncio.to_thread(wait_until, condition, within_s=within_s, what=what)
