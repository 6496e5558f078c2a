"""Programs that check what we deploy: some from Debian, some from the virtual environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.servers import BIN, missing

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"


def program(name: str, package: str) -> str:
    """Find a program; skip the test, or fail it in CI, if there is none.

    Args:
        name: Of the program.
        package: What to install, as Debian or PyPI calls it.
    """
    # Debian puts servers into a folder that is not on everybody's PATH.
    path = os.pathsep.join((str(BIN), os.environ["PATH"], "/usr/sbin"))
    found = shutil.which(name, path=path)
    if found is None:
        missing(f"{name} is not installed: {package}")
    return found


def checked(command: Iterable[object]) -> str:
    """Run a program that has nothing to find fault with. Return what it printed."""
    result = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout
