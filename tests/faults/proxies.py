"""nginx and HAProxy with the configurations of ``deploy/``, as processes of a test.

Only what belongs to one machine is replaced: addresses, ports, paths, users. So each runs without
privileges, in the foreground, and leaves nothing outside its folder.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.ports import free_port
from tests.servers import missing, stop, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEPLOY: Final = Path(__file__).parents[2] / "deploy"
NGINX_CONF: Final = DEPLOY / "nginx" / "channel_server.conf"
HAPROXY_CFG: Final = DEPLOY / "haproxy" / "haproxy.cfg"

_STARTS_WITHIN_S: Final = 10.0

# Two workers, so that nothing may depend on what one of them remembers.
NGINX_MAIN: Final = """
{user}
daemon off;
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/log;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {conf};
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running proxy.

    Attributes:
        name: ``nginx`` or ``haproxy``.
        port: Where it listens, on 127.0.0.1.
        folder: All it has written.
    """

    name: str
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Base address."""
        return f"http://127.0.0.1:{self.port}"

    def log(self) -> str:
        """Text of all its logs, and of what it has printed."""
        return "".join(path.read_text() for path in self.folder.glob("*log"))


def nginx(folder: Path, nodes: Sequence[int]) -> contextlib.AbstractContextManager[Proxy]:
    """Run nginx; leaving the context ends it.

    Args:
        folder: Its own.
        nodes: Two ports on 127.0.0.1.
    """
    port = free_port()
    main = nginx_main(folder, port, nodes)
    command = [program("nginx"), "-p", str(folder), "-c", str(main)]
    return running("nginx", command, folder, port)


def nginx_main(folder: Path, port: int, nodes: Sequence[int]) -> Path:
    """Write the configuration to a folder. Return the main file, which includes ours."""
    first, second = nodes
    conf = folder / "channel_server.conf"
    conf.write_text(
        replaced(
            NGINX_CONF.read_text(),
            ("10.0.0.11:5000", f"127.0.0.1:{first}"),
            ("10.0.0.12:5000", f"127.0.0.1:{second}"),
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("/var/log/nginx/channel_server.log", f"{folder}/access.log"),
            ("/var/log/nginx/channel_server.error.log", f"{folder}/error.log"),
        )
    )
    main = folder / "nginx.conf"
    # Started by root, its workers would else become nobody and could not use the folder.
    user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
    main.write_text(NGINX_MAIN.format(user=user, folder=folder, conf=conf))
    return main


def haproxy(folder: Path, nodes: Sequence[int]) -> contextlib.AbstractContextManager[Proxy]:
    """Run HAProxy; leaving the context ends it.

    Args:
        folder: Its own.
        nodes: Two ports on 127.0.0.1.
    """
    first, second = nodes
    port = free_port()
    cfg = folder / "haproxy.cfg"
    cfg.write_text(
        replaced(
            HAPROXY_CFG.read_text(),
            ("10.0.0.11:5000", f"127.0.0.1:{first}"),
            ("10.0.0.12:5000", f"127.0.0.1:{second}"),
            ("bind :80\n", f"bind 127.0.0.1:{port}\n"),
            ("log /dev/log local0\n", "log stdout format raw local0\n"),
            ("    chroot /var/lib/haproxy\n", ""),
            ("    stats socket /run/haproxy/admin.sock mode 660 level admin\n", ""),
            ("    user haproxy\n", ""),
            ("    group haproxy\n", ""),
        )
    )
    return running("haproxy", [program("haproxy"), "-db", "-f", str(cfg)], folder, port)


PROXIES: Final = {"nginx": nginx, "haproxy": haproxy}


def program(name: str) -> str:
    """Find a proxy's binary; skip the test, or fail it in CI, if there is none."""
    # Debian puts both into a folder that is not on everybody's PATH.
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    if found is None:
        missing(f"{name} is not installed: apt-get install {name}")
    return found


@contextlib.contextmanager
def running(name: str, command: list[str], folder: Path, port: int) -> Iterator[Proxy]:
    proxy = Proxy(name, port, folder)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(
            lambda: process.poll() is not None or _listens(port),
            within_s=_STARTS_WITHIN_S,
            what=f"{name} listens",
        )
        assert process.poll() is None, proxy.log()
        yield proxy
    finally:
        stop(process)
        print(proxy.log())  # shown by pytest when the test has failed


def replaced(text: str, *changes: tuple[str, str]) -> str:
    """Replace each text that occurs exactly once: a test must run what is deployed."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
        text = text.replace(old, new)
    return text


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
