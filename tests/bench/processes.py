"""Processes the benchmark starts and, whatever happens, ends."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

START_LIMIT_S = 20.0
STOP_LIMIT_S = 10.0


class DidNotStart(Exception):
    """A process ended or stayed mute instead of getting ready; the message says why."""


def program(name: str) -> str:
    """Path of a program: from this virtual environment, else from ``PATH``.

    Raises:
        DidNotStart: If there is none.
    """
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    path = shutil.which(name, path=places)
    if path is None:
        raise DidNotStart(f"{name} is not installed")
    return path


class Process:
    """A child process whose output goes to a file.

    Args:
        argv: Program and arguments.
        env: Added to our own environment.
        directory: Gets a file with its output.
    """

    def __init__(self, argv: list[str], env: dict[str, str], directory: Path) -> None:
        self._log = directory / f"{Path(argv[0]).name}-{time.monotonic_ns()}.log"
        with self._log.open("wb") as output:
            self._popen = subprocess.Popen(
                argv,
                env=os.environ | env,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                bufsize=0,
            )
        self._stdin = self._popen.stdin
        self._process = psutil.Process(self._popen.pid)

    def until(self, ready, what: str) -> None:
        """Wait until ``ready()``.

        Raises:
            DidNotStart: If the process ends, or after ``START_LIMIT_S``.
        """
        deadline = time.monotonic() + START_LIMIT_S
        while not ready():
            if self._popen.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(f"{what}: {self._log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def is_listening(self) -> bool:
        """Whether it has a listening TCP socket. Opens no connection to find out."""
        connections = self._process.net_connections("tcp")
        return any(connection.status == psutil.CONN_LISTEN for connection in connections)

    def stop(self) -> None:
        """End it: politely, and after ``STOP_LIMIT_S`` by force."""
        self._stdin.close()
        self._popen.terminate()
        try:
            self._popen.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
