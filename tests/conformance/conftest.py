"""The two servers under test, each a process of its own, and clients for them.

A server that dies, or that prints a traceback, fails the test that made it do so.
"""

from __future__ import annotations

import contextlib
import functools
import select
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from tests.conformance.wire import Client

COMMAND = [sys.executable, "-m", "tests.conformance.servers"]
ROOT = Path(__file__).parents[2]
PATHS = {"engine": "/engine.io/", "socketio": "/socket.io/"}
START_S = 20
STOP_S = 5


class Server:
    """A running server.

    Args:
        kind: A key of ``PATHS``.
        times: A key of ``servers.TIMES``.
        folder: Where its standard error is kept.
    """

    def __init__(self, kind: str, times: str, folder: Path) -> None:
        self.port = _free_port()
        self._path = PATHS[kind]
        self._log = folder / "stderr"
        self._checked = 0
        with self._log.open("wb") as stderr:
            self._process = subprocess.Popen(
                [*COMMAND, kind, "--times", times, "--port", str(self.port)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        readable, _, _ = select.select([self._process.stdout], [], [], START_S)
        if not readable or not self._process.stdout.readline():
            self.stop()
            pytest.fail(f"the {kind} server did not start: {self._log.read_text()}")

    def client(self) -> Client:
        return Client(self.port, self._path)

    @property
    def rss_bytes(self) -> int:
        """Memory the process holds right now."""
        return psutil.Process(self._process.pid).memory_info().rss

    def check(self) -> None:
        """Fail if the server is gone or has printed a traceback."""
        assert self._process.poll() is None, self._log.read_text()
        self._check_log()

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        finally:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()
        self._check_log()

    def _check_log(self) -> None:
        log = self._log.read_text()
        new, self._checked = log[self._checked :], len(log)
        assert "Traceback" not in new, new


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pytest_itemcollected(item):
    """What waits for brief times measures time: it runs alone."""
    if item.get_closest_marker("brief_times"):
        item.add_marker(pytest.mark.serial)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Returns the server of a kind and with these times; each is started when it is first asked for."""
    with contextlib.ExitStack() as stack:

        @functools.cache
        def get(kind: str, times: str) -> Server:
            server = Server(kind, times, tmp_path_factory.mktemp(f"{kind}-{times}"))
            stack.callback(server.stop)
            return server

        yield get


@pytest.fixture
def times(request):
    """Heartbeat and time-outs of the servers: with the usual ones, sessions outlive every test."""
    return "brief" if request.node.get_closest_marker("brief_times") else "usual"


@pytest.fixture
def engine_server(server, times):
    return server("engine", times)


@pytest_asyncio.fixture
async def engine(engine_server):
    """A client of the Engine.IO server, which echoes every message."""
    async with _client(engine_server) as client:
        yield client


@pytest_asyncio.fixture
async def socketio(server, times):
    """A client of the Socket.IO server."""
    async with _client(server("socketio", times)) as client:
        yield client


@pytest_asyncio.fixture(params=PATHS)
async def either(request, server, times):
    """A client of each server in turn, for what both must do alike."""
    async with _client(server(request.param, times)) as client:
        yield client


@contextlib.asynccontextmanager
async def _client(server):
    client = server.client()
    yield client
    await client.close()
    server.check()
