"""A stock JavaScript client in a Node process, as a Python object."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.servers import binary

RECOVERING_CLIENTS: Final = (
    "socket.io-client",
    "socket.io-client-4.7.5",
    "socket.io-client-4.6.2",
)
"""Packages in tests/js: the newest one, the one in Loomio's lock file, the oldest with recovery."""

CLIENTS: Final = ("socket.io-client", "socket.io-client-4.7.5", "socket.io-client-4.5.4")
"""The newest one, the one in Loomio's lock file, one without recovery."""

_JS: Final = Path(__file__).parent / "js"
_ENDS_WITHIN_S: Final = 10.0


class NodeClient:
    """One connection of a stock client. A context manager: leaving it ends the process.

    Args:
        package: One of ``CLIENTS``.
        url: Base address of the server.
        token: Channel token; None is what Loomio passes for a visitor.
        options: Further options for ``io()``; none is exactly Loomio's call.

    Attributes:
        events: Every event so far, in order, as ``client.mjs`` printed it.
    """

    def __init__(self, package: str, url: str, *, token: str | None, **options: object) -> None:
        if not (_JS / "node_modules" / package).is_dir():
            pytest.fail(f"{package} is not installed in tests/js: run `make setup`", pytrace=False)
        order = {"package": package, "url": url, "token": token, "options": options}
        self.events: list[dict[str, Any]] = []
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [binary("node"), _JS / "client.mjs", json.dumps(order)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reader = threading.Thread(target=self._read, name=f"node {package}", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._process.stdout.close()

    def wait_for(self, event: str, *, within_s: float = 10.0) -> dict[str, Any]:
        """Return the next event of a kind; events of other kinds are kept and passed over.

        Args:
            event: Name as in ``client.mjs``.
            within_s: Seconds until the test fails.
        """
        deadline = time.monotonic() + within_s
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                seen = [each["event"] for each in self.events][-20:]
                pytest.fail(f"no {event!r} within {within_s} s; the last events: {seen}")
            if not line:
                pytest.fail(f"the client ended while the test waited for {event!r}")
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event:
                return self.events[-1]

    def cut(self) -> None:
        """Break the connection; the client comes back by itself."""
        self._process.stdin.write(b"cut\n")
        self._process.stdin.flush()

    def data_of(self, event: str) -> list[Any]:
        """First arguments of all events of a kind so far, oldest first."""
        return [each["data"] for each in self.events if each["event"] == event]

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(b"")
