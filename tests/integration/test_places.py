"""Where a server listens: on which addresses, or on a Unix socket."""

import socket
import stat
import subprocess

import pytest

from tests.collab.servers import Application
from tests.integration.program import QUICK_END, Program, environment, run
from tests.servers import CHANNEL_SERVER, stop, wait_until

pytestmark = pytest.mark.redis

OPEN = b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def application():
    with Application() as application:
        yield application


@pytest.fixture
def on_a_socket(redis_server, application):
    """Start ``serve`` or ``collab`` on a Unix socket; return the process."""
    processes = []

    def start(command, place):
        settings = {
            "REDIS_URL": redis_server.url,
            "PRIVATE_APP_URL": application.url,
            **QUICK_END,
            ("HOST" if command == "serve" else "COLLAB_HOST"): f"unix:{place}",
        }
        process = subprocess.Popen([CHANNEL_SERVER, command], env=environment(**settings))
        processes.append(process)
        wait_until(lambda: answer(place), within_s=20, what="it answers")
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()


def answer(place):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(place).partition("?")[0])
            client.sendall(OPEN)
            return client.recv(1000).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def test_on_the_loopback_address_only(redis_server, tmp_path):
    """HOST was ignored without a word, and the port stood open beside the proxy."""
    with Program(tmp_path, REDIS_URL=redis_server.url, HOST="127.0.0.1") as server:
        server.wait_ready()

        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", server.port))


@pytest.mark.parametrize("host", ["localhost", "::1", "::"])
def test_names_and_ipv6(redis_server, tmp_path, host):
    with Program(tmp_path, REDIS_URL=redis_server.url, HOST=host) as server:
        socket.create_connection((host, server.port)).close()


@pytest.mark.parametrize("command", ["serve", "collab"])
@pytest.mark.parametrize(("suffix", "mode"), [("", 0o660), ("?mode=666", 0o666)])
def test_a_unix_socket_has_its_mode_and_is_gone_at_the_end(
    on_a_socket, tmp_path, command, suffix, mode
):
    path = tmp_path / "s"
    process = on_a_socket(command, f"{path}{suffix}")

    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert stop(process) == 0
    assert not path.exists()


def test_a_socket_that_was_left_behind_is_removed(on_a_socket, tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    on_a_socket("serve", path)


def test_a_socket_on_which_another_server_answers_is_refused(on_a_socket, redis_server, tmp_path):
    path = tmp_path / "s"
    on_a_socket("serve", path)

    ended = run("serve", HOST=f"unix:{path}", REDIS_URL=redis_server.url, ADMIN_PORT="0")

    assert (ended.returncode, ended.stderr) == (
        1,
        f"cannot listen on {path}: a server answers there; choose another one with HOST\n",
    )
    assert answer(path)


def test_a_socket_whose_queue_is_full_is_refused(redis_server, tmp_path):
    """To connect to it waits for ever."""
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))

        ended = run("serve", HOST=f"unix:{path}", REDIS_URL=redis_server.url, ADMIN_PORT="0")

    assert ended.returncode == 1
    assert "a server answers there" in ended.stderr


def test_what_is_no_socket_is_left_alone(redis_server, tmp_path):
    path = tmp_path / "s"
    path.write_text("precious")

    ended = run("serve", HOST=f"unix:{path}", REDIS_URL=redis_server.url, ADMIN_PORT="0")

    assert ended.returncode == 1
    assert "something else is there" in ended.stderr
    assert path.read_text() == "precious"


def test_an_address_that_is_not_ours_is_refused(redis_server):
    ended = run("serve", HOST="192.0.2.1", REDIS_URL=redis_server.url, ADMIN_PORT="0")

    assert ended.returncode == 1
    assert "cannot listen" in ended.stderr


@pytest.mark.parametrize("host", ["unix:relative", "unix:/" + "é" * 60, "a b", "unix:/s?mode=9"])
def test_a_place_that_cannot_be_one_stops_the_start(host):
    ended = run("serve", HOST=host)

    assert ended.returncode == 2
    assert ended.stderr.startswith("configuration: HOST must be")


@pytest.mark.parametrize("encoding", ["latin-1", "iso8859-5"])
def test_doctor_speaks_where_its_marks_cannot_be_shown(redis_server, encoding):
    """It ended with a traceback at its first mark."""
    ended = subprocess.run(
        [CHANNEL_SERVER, "doctor"],
        env=environment(REDIS_URL=redis_server.url, PYTHONIOENCODING=encoding),
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert b"Traceback" not in ended.stderr
    assert b"+ Redis: " in ended.stdout


def test_an_address_of_another_machine_is_named_with_its_variable(redis_server):
    """It was the port that was to be changed."""
    host = "192.0.2.1"
    ended = run("serve", HOST=host, REDIS_URL=redis_server.url, ADMIN_PORT="0")
    asked = run("doctor", HOST=host, REDIS_URL=redis_server.url, ADMIN_PORT="0")

    words = (
        f"cannot listen on {host}: this machine has no such address; choose another one with HOST"
    )
    assert (ended.returncode, ended.stderr) == (1, f"{words}\n")
    assert f"{host} cannot be opened: this machine has no such address" in asked.stdout
    assert "choose another one with HOST" in asked.stdout


def test_a_folder_that_is_missing_is_named(redis_server, tmp_path):
    path = tmp_path / "none" / "s"

    ended = run("serve", HOST=f"unix:{path}", REDIS_URL=redis_server.url, ADMIN_PORT="0")

    assert ended.returncode == 1
    assert f"cannot listen on {path}: its folder is missing: create it" in ended.stderr
