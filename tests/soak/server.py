"""The two servers under test, as processes."""

from __future__ import annotations

import contextlib
import http.client
from typing import TYPE_CHECKING, Final

from tests.bench.processes import program
from tests.bench.servers import Server
from tests.load.server import errors_in
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

_SETTINGS: Final = {
    "LOG_FORMAT": "text",
    "DRAIN_DELAY_SECONDS": "0",
    "DRAIN_SECONDS": "0",
    # So that what is kept on purpose has its full size before the second quarter.
    "JOURNAL_MIB": "4",
    "RECOVERY_MINUTES": "1",
    "BOTS": "0",
}
PORTS: Final = {"serve": "PORT", "collab": "COLLAB_PORT"}


class Soaked(Server):
    """``channel-server`` with an internal port. Stop it, and ask for ``problems`` then.

    Args:
        command: ``serve`` or ``collab``.
        folder: Gets its output.
        settings: Environment variables; the ports are free ones.

    Attributes:
        command: As given.
        admin_port: The internal port.
    """

    def __init__(self, command: str, folder: Path, **settings: str) -> None:
        self.command = command
        self.admin_port = free_port()
        port = free_port()
        own = {PORTS[command]: str(port), "ADMIN_PORT": str(self.admin_port)}
        argv = [program("channel-server"), command]
        super().__init__(argv, _SETTINGS | own | settings, port, folder)

    def until_ready(self) -> None:
        """Wait until it is.

        Raises:
            DidNotStart: If it is not, after 20 s.
        """
        self.until(self._is_ready, f"GET /ready of {self.command}")

    def is_running(self) -> bool:
        return self._popen.poll() is None

    def problems(self) -> list[str]:
        """What went wrong, from its start to its end."""
        found = [f"{self.command}: {line}" for line in errors_in(self._log.read_text())]
        if self._popen.returncode:
            found.append(f"{self.command} ended with {self._popen.returncode}")
        return found

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False
