"""nginx in front of a server for documents, as ``deploy/nginx/documents.conf`` has it."""

import getpass
import os
import urllib.request

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.deploy.programs import DEPLOY
from tests.faults.proxies import NGINX_MAIN, program, replaced, running
from tests.integration.program import Program
from tests.ports import free_port
from tests.servers import wait_until


@pytest.fixture
def proxy(tmp_path):
    """nginx, with a real server behind it."""
    port = free_port()
    with Program(
        tmp_path, "collab", PRIVATE_APP_URL="http://127.0.0.1:1", COLLAB_PORT="0"
    ) as server:
        folder = tmp_path / "nginx"
        folder.mkdir()
        conf = folder / "documents.conf"
        conf.write_text(
            replaced(
                (DEPLOY / "nginx" / "documents.conf").read_text(),
                ("10.0.0.11:4444", f"127.0.0.1:{server.port}"),
                ("listen 80;", f"listen 127.0.0.1:{port};"),
                ("/var/log/nginx/channel_server_documents.log", str(folder / "access.log")),
                ("/var/log/nginx/channel_server_documents.error.log", str(folder / "error.log")),
            )
        )
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        main = folder / "nginx.conf"
        main.write_text(NGINX_MAIN.format(user=user, folder=folder, conf=conf))
        command = [program("nginx"), "-p", str(folder), "-c", str(main)]
        with running("nginx", command, folder, port) as started:
            yield started


def test_a_browser_sees_the_welcome(proxy):
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}/", timeout=10) as answer:
        assert answer.read() == b"Welcome to Hocuspocus!"


def test_no_query_is_logged(proxy):
    """Whoever puts a secret into it."""
    with urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}/?token=secret-word", timeout=10):
        pass
    log = proxy.folder / "access.log"
    wait_until(lambda: "GET / 200" in log.read_text(), within_s=10, what="the request is logged")

    assert not [
        path
        for path in proxy.folder.rglob("*")
        if path.is_file() and b"secret-word" in path.read_bytes()
    ]


def test_a_provider_gets_a_websocket(proxy):
    """What is no message of a provider is refused by the server, in its own words."""
    with connect(f"ws://127.0.0.1:{proxy.port}/") as socket:
        socket.send(b"\xff")
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)

    assert closed.value.rcvd.code == 4401
