"""Where and with what the figures were measured."""

import datetime as dt
import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from tests.bench.servers import NODE_PROGRAM
from tests.servers import redis_binary

_ROOT = Path(__file__).parents[2]
_NODE_PACKAGES = ("socket.io", "engine.io", "ws", "redis")
_PYTHON_PACKAGES = (
    "aiohttp",
    "uvloop",
    "python-socketio",
    "python-engineio",
    "websockets",
    "redis",
    "hiredis",
    "orjson",
)


def describe() -> dict[str, str]:
    """Facts to print above the figures, in the order in which to print them."""
    python_packages = ", ".join(f"{name} {version(name)}" for name in _PYTHON_PACKAGES)
    node_packages = ", ".join(map(_node_package, _NODE_PACKAGES))
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d"),
        "commit": _output("git", "-C", str(_ROOT), "rev-parse", "--short", "HEAD"),
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}; {python_packages}",
        "Node": f"{_output(NODE_PROGRAM, '--version')}; {node_packages}",
        "C compiler": _compiler(),
        "Redis": _redis(),
    }


def _redis() -> str:
    """As ``Redis 7.0.15`` or ``Valkey 9.1.2``."""
    name, _server, version, *_ = _output(redis_binary() or "redis-server", "--version").split()
    return f"{name} {version.removeprefix('v=')}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _colon, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _compiler() -> str:
    version_lines = _output("cc", "--version") if shutil.which("cc") else ""
    return version_lines.partition("\n")[0] or "none: the C loop is left out"


def _node_package(name: str) -> str:
    manifest = _ROOT / "tests/js/node_modules" / name / "package.json"
    return f"{name} {json.loads(manifest.read_text())['version']}"


def _output(*argv: str) -> str:
    """What a command prints; "unknown" if it fails, as git does outside a repository."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"
