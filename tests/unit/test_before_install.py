"""What ``make run`` says before it installs anything."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "before_install.py"


def run(pretence="", **env):
    """Run it where something is pretended first."""
    code = f"import platform, runpy, shutil, sys; {pretence}\nrunpy.run_path({str(SCRIPT)!r})"
    return subprocess.run(
        [sys.executable, "-c", code, ".venv", "120 MB"],
        env={"PATH": os.environ["PATH"]} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_says_what_comes_and_which_extras():
    finished = run()

    assert (finished.returncode, finished.stdout) == (0, "server,demo\n")
    assert finished.stderr == "Installing into .venv: 120 MB.\n"


def test_an_old_python_is_told_before_pip_is():
    """It was "ResolutionImpossible"."""
    finished = run("sys.version_info = (3, 10, 13)")

    assert finished.returncode == 1
    assert "Python 3.11 or newer is needed" in finished.stderr
    assert "make run PYTHON=python3.13" in finished.stderr
    assert "Installing" not in finished.stderr


def test_an_old_python_can_read_it():
    ast.parse(SCRIPT.read_text(), feature_version=(3, 7))


@pytest.mark.parametrize(
    "machine",
    [
        pytest.param("platform.libc_ver = lambda: ('', '')", id="musl"),
        pytest.param("platform.machine = lambda: 'riscv64'", id="another processor"),
        pytest.param("platform.system = lambda: 'FreeBSD'", id="another system"),
    ],
)
def test_where_no_wheel_has_a_redis_another_one_is_needed(machine):
    none = f"{machine}; shutil.which = lambda name: None"

    refused = run(none)
    named = run(none, REDIS_URL="redis://127.0.0.1:6379")
    installed = run(f"{machine}; shutil.which = lambda name: '/usr/bin/' + name")

    assert refused.returncode == 1
    assert "there is no Redis in a wheel: install one" in refused.stderr
    assert (named.returncode, named.stdout) == (0, "server\n")
    assert (installed.returncode, installed.stdout) == (0, "server\n")
