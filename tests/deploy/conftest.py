"""The wheel, as it is built for a release."""

import sys

import pytest

from tests.deploy.programs import ROOT, checked
from tests.servers import missing


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """Path of the wheel, with the demo page's client in it."""
    try:
        import hatchling  # noqa: F401, PLC0415 - it builds the wheel; without it there is none
    except ImportError:
        missing("hatchling is not installed: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    # The image builds it in isolation; here nothing is fetched.
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    checked([*build, "--wheel-dir", folder, ROOT])
    (built,) = folder.glob("*.whl")
    return built
