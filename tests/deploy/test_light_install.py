"""What an application installs: the library, orjson and redis, of whatever version it has."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.deploy.programs import DEPLOY, ROOT, checked
from tests.faults.cluster import Cluster
from tests.faults.pair import Pair
from tests.faults.sentinels import House

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOWEST = [need.replace(">=", "==") for need in PROJECT["dependencies"]]
NEWEST = re.findall(
    r"^(?:orjson|redis)==.*$", (DEPLOY / "constraints.txt").read_text(), re.MULTILINE
)


@pytest.fixture(params=[LOWEST, NEWEST], ids=["lowest", "newest"])
def python(request, wheel, tmp_path):
    """The Python of an environment that has only the wheel and what it needs."""
    checked([sys.executable, "-m", "venv", tmp_path / "venv"])
    python = tmp_path / "venv/bin/python"
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    checked([*install, wheel, *request.param])
    return python


@pytest.mark.slow
@pytest.mark.redis
@pytest.mark.timeout(180)
def test_an_application_needs_redis_and_orjson_of_any_version(
    python, redis_server, new_redis_server, tmp_path
):
    assert [need.partition(">=")[0] for need in PROJECT["dependencies"]] == ["orjson", "redis"]
    cluster, pair = Cluster(new_redis_server), Pair(new_redis_server)
    with House(tmp_path, pair) as house:
        urls = [redis_server.url, cluster.url, house.url]

        program = Path(__file__).with_name("publish_all_ways.py")
        said = checked([python, "-W", "always::ResourceWarning", program, *urls])

    assert not said


@pytest.mark.slow
def test_a_server_that_is_not_installed_says_what_to_install(python):
    done = subprocess.run(
        [python.with_name("channel-server"), "serve"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "pip install 'channel-server[server]'" in line
