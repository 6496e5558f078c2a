"""One server under test as a process that can be killed, drained and started again."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson
import psutil

from tests.bench.servers import NODE, NODE_PROGRAM, OURS
from tests.chaos import http
from tests.chaos.waiting import DidNotHappen, until
from tests.integration.program import environment
from tests.ports import free_port
from tests.servers import CHANNEL_SERVER, stop

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAMS: Final = {
    OURS: [CHANNEL_SERVER, "serve"],
    NODE: [NODE_PROGRAM, Path(__file__).parents[1] / "js/peer.mjs"],
}
_READY_WITHIN_S: Final = 20.0


class DidNotStart(Exception):
    """A server ended or stayed mute instead of getting ready; the message shows its output."""


class Node:
    """A server at a port that stays the same from one process to the next.

    Args:
        server: ``OURS`` or ``NODE``.
        settings: Environment variables; ``PORT`` is chosen.
        log: File that gets its output.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, server: str, settings: Mapping[str, str], log: Path) -> None:
        self.port = free_port()
        self._argv = _PROGRAMS[server]
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id, of the latest process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def cpu_s(self) -> float:
        """User and system time of the process so far."""
        times = psutil.Process(self.pid).cpu_times()
        return times.user + times.system

    @property
    def rss_bytes(self) -> int:
        """Memory the process holds right now."""
        return psutil.Process(self.pid).memory_info().rss

    async def start(self) -> None:
        """Start it, and return when ``GET /ready`` answers 200."""
        self._launch()
        try:
            await until(self.is_ready, "GET /ready answers 200", within_s=_READY_WITHIN_S)
        except DidNotHappen as error:
            raise DidNotStart(self.output()) from error

    def _launch(self) -> None:
        env = environment(PORT=str(self.port), ADMIN_PORT="0", **self._settings)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._argv, stdout=log, stderr=log, env=env)

    async def is_ready(self) -> bool:
        if self._process.poll() is not None:
            raise DidNotStart(self.output())
        response = await http.get(self.port, "/ready")
        return response is not None and response.status == 200

    async def status(self) -> tuple[int, str] | None:
        """HTTP status and ``status`` of ``GET /ready``; None if there is no answer."""
        response = await http.get(self.port, "/ready")
        return response and (response.status, orjson.loads(response.body)["status"])

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        await self._end(signal.SIGKILL)

    async def drain(self) -> int:
        """Send SIGTERM, and wait for the end. Return the exit code."""
        return await self._end(signal.SIGTERM)

    async def stop(self) -> None:
        """End it if it runs."""
        if self.is_running:
            await self.kill()

    async def _end(self, number: signal.Signals) -> int:
        return await asyncio.to_thread(stop, self._process, number)

    def output(self) -> str:
        """The end of what it has printed."""
        return self._log.read_text(errors="replace")[-4000:]
