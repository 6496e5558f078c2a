"""``channel-server`` as a process of its own, as an operator starts it.

It takes a port that was free a moment ago, logs to the test's captured output, and is ready for
use when the function that started it returns.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

import pytest

from channel_server.adapters.embedded import find_program
from channel_server.errors import MissingPart
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BIN: Final = Path(sys.executable).parent
CHANNEL_SERVER: Final = BIN / "channel-server"

_READY_WITHIN_S: Final = 20.0
_STOPS_WITHIN_S: Final = 15.0
_POLL_S: Final = 0.01

# A developer's own settings must not leak into the servers under test.
_NOT_INHERITED: Final = frozenset({"PORT", "REDIS_URL", "REDIS_CACHE_URL"})


class Started(NamedTuple):
    """A server that answers.

    Attributes:
        process: To be ended with ``stop``.
        url: Base address, without a slash at its end.
    """

    process: subprocess.Popen
    url: str


def binary(name: str) -> str:
    """Find a program in the virtual environment or on PATH; fail the test if there is none."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.fail(f"{name} is not installed: run `make setup`", pytrace=False)
    return found


def redis_binary() -> str | None:
    """Path of a Redis or Valkey: ``REDIS_SERVER``, or what ``channel-server dev`` would start."""
    if "REDIS_SERVER" in os.environ:
        return os.environ["REDIS_SERVER"]
    try:
        return str(find_program())
    except MissingPart:
        return None


def redis_debug() -> list[str]:
    """Options with which a Redis allows DEBUG: from version 7 on it has to be asked."""
    said = subprocess.run(
        [redis_binary(), "--version"], capture_output=True, text=True, check=True
    )
    major = int(re.search(r" v=(\d+)", said.stdout)[1])
    return ["--enable-debug-command", "yes"] if major >= 7 else []


def missing(part: str, *, whole_module: bool = False) -> NoReturn:
    """A part of the system is not there: fail in CI, skip visibly elsewhere.

    Args:
        part: What is missing, and the command that installs it.
        whole_module: Called while the module is imported.
    """
    if os.environ.get("CI"):
        pytest.fail(part, pytrace=False)
    pytest.skip(part, allow_module_level=whole_module)


def wait_until(condition: Callable[[], bool], *, within_s: float, what: str) -> None:
    """Return as soon as a condition holds; fail the test if it does not in time.

    Args:
        condition: Asked about every 10 ms.
        within_s: Seconds to wait at most.
        what: What is waited for, for the failure message.
    """
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {within_s} s in vain for: {what}")
        time.sleep(_POLL_S)


def start_channel_server(env: Mapping[str, str], command: str = "serve") -> Started:
    """Start ``channel-server`` and wait until it is ready to deliver.

    Args:
        env: Settings. ``PORT`` is chosen if it is missing; the admin port is off unless set.
        command: ``serve`` or ``dev``.
    """
    port = int(env.get("PORT") or free_port())
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    process = subprocess.Popen(
        [CHANNEL_SERVER, command],
        env={
            **inherited,
            "ADMIN_PORT": "0",
            "DRAIN_DELAY_SECONDS": "0",
            "DRAIN_SECONDS": "0",
            **env,
            "PORT": str(port),
        },
    )
    try:
        wait_until(
            lambda: process.poll() is not None or is_ready(port),
            within_s=_READY_WITHIN_S,
            what="GET /ready answers 200",
        )
        if process.poll() is not None:
            pytest.fail(f"channel-server {command} ended at once with {process.returncode}")
    except BaseException:  # pytest.fail is one, and so is Ctrl-C: either way, leave no process
        stop(process, signal.SIGKILL)
        raise
    return Started(process, f"http://127.0.0.1:{port}")


def stop(process: subprocess.Popen, number: signal.Signals = signal.SIGTERM) -> int:
    """Send a signal and wait for the end, by force if it takes longer than 15 s.

    Returns:
        The exit code; minus the signal's number if the signal ended the process.
    """
    process.send_signal(number)
    try:
        return process.wait(_STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def is_ready(port: int) -> bool:
    """Whether ``GET /ready`` on 127.0.0.1 answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
