"""The server of ``make run``, with the Redis that it brings along."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from typing import TYPE_CHECKING, Final, Self

import psutil

from tests.bench.processes import Process, program
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

_STOPS_WITHIN_S: Final = 5.0
_ERROR: Final = re.compile(r"^(?:\S+ \S+ (?:ERROR|CRITICAL)|Traceback) .*$", re.MULTILINE)


class DevServer(Process):
    """``channel-server dev`` on a port of its own. A context manager: it ends with the block.

    Args:
        directory: For the server's output and all its files.

    Attributes:
        url: Base address, without a slash at its end.
        admin_port: Its internal port, with the metrics.
        redis_url: Of its Redis, once it is ready.
    """

    def __init__(self, directory: Path) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.admin_port = free_port()
        self.redis_url = ""
        self._family: list[psutil.Process] = []
        self._died = False
        env = {
            "PORT": str(port),
            "ADMIN_PORT": str(self.admin_port),
            # Empty is not set: a developer's own Redis is left alone.
            "REDIS_URL": "",
            "REDIS_CACHE_URL": "",
            "LOG_FORMAT": "text",
            "TMPDIR": str(directory),
        }
        super().__init__([program("channel-server"), "dev"], env, directory)

    def __enter__(self) -> Self:
        """Wait until it is ready.

        Raises:
            DidNotStart: If it is not, after 20 s.
        """
        try:
            self.until(self._is_ready, "GET /ready")
        except BaseException:
            self.stop()
            raise
        self.redis_url = re.search(r"REDIS_URL=(\S+)", self._log.read_text())[1]
        self._family = self._process.children(recursive=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._died = self._popen.poll() is not None
        self.stop()
        # A server that was killed leaves its Redis behind.
        for process in self._family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        psutil.wait_procs(self._family, timeout=_STOPS_WITHIN_S)

    def problems(self) -> list[str]:
        """What went wrong, from its start to its end; ask afterwards."""
        found = errors_in(self._log.read_text(errors="replace"))
        if self._died:
            found.append("the server ended before the test did")
        elif self._popen.returncode:
            found.append(f"the server ended with {self._popen.returncode}")
        return found

    def _is_ready(self) -> bool:
        # It is not if nobody listens (URLError), or says 503 (HTTPError): both are OSErrors.
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/ready", timeout=2):
            return True
        return False


def errors_in(log: str) -> list[str]:
    """The lines of a server's log that tell of a bug."""
    return [match[0] for match in _ERROR.finditer(log)]
