"""What is left in the memory of a server when its clients are gone."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.integration.program import environment
from tests.ports import free_port
from tests.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROOT: Final = Path(__file__).parents[2]
_WITHIN_S: Final = 20.0


class Heap:
    """A server of ``tests.garbage.server``; a context manager.

    Args:
        kind: ``live``, the same with ``short`` time-outs or with room for nobody (``full``), or
            ``collab``.
        settings: Environment variables.

    Attributes:
        port: Where clients connect.
    """

    def __init__(self, kind: str, **settings: str) -> None:
        self.port = free_port()
        self._is_full = kind == "full"
        ports = {"PORT": str(self.port), "COLLAB_PORT": str(self.port), "BOTS": "0"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.garbage.server", kind],
            cwd=_ROOT,
            env=environment(**ports, DRAIN_DELAY_SECONDS="0", DRAIN_SECONDS="0", **settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        wait_until(self._is_ready, within_s=_WITHIN_S, what="the server is ready")

    def measure(self) -> Mapping[str, Mapping[str, int]]:
        """How many objects there are, by type: ``live``, and in ``garbage``."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def settle(self, before: Mapping[str, int]) -> dict[str, int]:
        """Wait until no more is alive than before. Return all the garbage since the last call."""
        garbage: dict[str, int] = {}
        more: dict[str, int] = {}

        def is_settled() -> bool:
            found = self.measure()
            for kind, count in found["garbage"].items():
                garbage[kind] = garbage.get(kind, 0) + count
            more.clear()
            more.update(_more(found["live"], before))
            return not more

        try:
            wait_until(is_settled, within_s=_WITHIN_S, what="nothing of the clients is alive")
        finally:
            print("still alive:", more)  # shown by pytest when the test has failed
        return garbage

    def _is_ready(self) -> bool:
        assert self._process.poll() is None
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ready")
            status = connection.getresponse().status
        except OSError:
            return False
        finally:
            connection.close()
        return status == http.HTTPStatus.OK or self._is_full

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        try:
            self._process.wait(_WITHIN_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()


def _more(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {kind: count for kind, count in now.items() if count > before.get(kind, 0)}
