"""How a server's process takes what the system does to it: signals, and a log that nobody reads."""

import fcntl
import os
import signal
import subprocess

import pytest

from tests.collab.servers import Application
from tests.integration.program import QUICK_END, environment
from tests.ports import free_port
from tests.servers import CHANNEL_SERVER, is_ready, stop, wait_until

pytestmark = pytest.mark.redis

SERVERS = ["serve", "collab", "bots"]
PIPE_BYTES = 4096


@pytest.fixture(scope="module")
def application():
    with Application() as application:
        yield application


@pytest.fixture
def start(redis_server, application):
    """Start a server with its output somewhere, and return when it is ready."""
    processes = []

    def start(command, output=subprocess.DEVNULL, wrapper=()):
        port = free_port()
        settings = {
            "PORT": "0",
            "COLLAB_PORT": "0",
            "REDIS_URL": redis_server.url,
            "PRIVATE_APP_URL": application.url,
            **QUICK_END,
            "ADMIN_PORT": str(port),
        }
        process = subprocess.Popen(
            [*wrapper, CHANNEL_SERVER, command],
            stdout=output,
            stderr=subprocess.PIPE,
            env=environment(**settings),
        )
        processes.append(process)
        wait_until(lambda: is_ready(port), within_s=20, what="the server is ready")
        return process, port

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stderr.close()


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
@pytest.mark.parametrize("command", SERVERS)
def test_every_signal_that_ends_a_process_ends_it_gracefully(start, command, number):
    """A closed terminal (SIGHUP) killed documents with edits that were not stored."""
    process, _ = start(command)

    assert stop(process, signal.Signals[number]) == 0


@pytest.mark.parametrize("command", SERVERS)
def test_user_signals_do_nothing(start, command):
    process, port = start(command)
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGUSR2)

    assert is_ready(port)
    assert stop(process) == 0


def test_with_nohup_a_closed_terminal_is_survived(start):
    process, port = start("serve", wrapper=("nohup",))
    process.send_signal(signal.SIGHUP)

    assert is_ready(port)
    assert stop(process) == 0


@pytest.mark.parametrize("command", SERVERS)
def test_a_log_that_nobody_reads_stops_nobody(start, command):
    """With a full pipe as its output, the loop stood still: no answer, and no end at SIGTERM."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    os.write(writer, b"x" * PIPE_BYTES)
    try:
        process, port = start(command, output=writer)

        assert is_ready(port)
        assert stop(process) == 0
    finally:
        os.close(reader)
        os.close(writer)
