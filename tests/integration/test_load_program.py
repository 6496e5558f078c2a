"""``make load``, in small: what it writes when all is well, and that it notices when it is not."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest

from channel_server.adapters.embedded import find_program
from channel_server.log import TextFormatter
from tests.conftest import need_redis
from tests.load.chart import Line, Panel, picture
from tests.load.server import errors_in
from tests.load.timeline import Timeline

ROOT = Path(__file__).parents[2]
ENDS_WITHIN_S = 40
SHORT = ("--users", "20", "--seconds", "5", "--cut-every", "2")


@pytest.fixture
def start_load(tmp_path):
    """Start ``python -m tests.load``: ``start_load("--users", "5", JOURNAL="off")``."""
    need_redis()
    processes = []

    def start(*options, **env):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load", "--out", tmp_path, *options],
            cwd=ROOT,
            env=os.environ | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.terminate()  # and it ends what it has started
        process.communicate(timeout=ENDS_WITHIN_S)


def wait_until_under_way(load):
    """Read what it prints until all users are there."""
    assert any("All users spawned" in line for line in load.stdout)


def child_of(process, command):
    """The process that runs a command for another, itself or through others."""
    children = psutil.Process(process.pid).children(recursive=True)
    return next(child for child in children if command in " ".join(child.cmdline()))


@pytest.mark.redis
@pytest.mark.slow
def test_a_run_without_loss_writes_a_page_with_pictures(tmp_path, start_load):
    """The machine and the versions are on it, so that it can be read later."""
    load = start_load(*SHORT)
    output, _ = load.communicate(timeout=ENDS_WITHIN_S)

    page = (tmp_path / "load.md").read_text()
    assert load.returncode == 0, output
    assert re.search(r"^\*\*[\d,]+ messages received, 0 lost; ", page, re.MULTILINE)
    assert re.search(r"^\| SIO recover \| [1-9]", page, re.MULTILINE)
    assert {"- date", "- processor", "- command"} <= set(re.findall(r"^- \w+", page, re.MULTILINE))
    pictures = re.findall(r"\((load-\w+\.svg)\)", page)
    assert {file.name for file in tmp_path.iterdir()} == {"load.md", *pictures}
    for name in pictures:
        assert "line s0" in {element.get("class") for element in ET.parse(tmp_path / name).iter()}


@pytest.mark.redis
@pytest.mark.slow
def test_a_server_that_dies_fails_the_run_and_its_redis_goes_too(tmp_path, start_load):
    """The server's end is told apart from whatever it has lost."""
    load = start_load(*SHORT, "--patience", "1")
    wait_until_under_way(load)
    server, redis = child_of(load, "channel-server dev"), child_of(load, find_program().name)

    server.kill()
    output, _ = load.communicate(timeout=ENDS_WITHIN_S)

    assert load.returncode == 1, output
    assert "FAIL: the server ended before the test did" in output
    assert "FAIL: " in (tmp_path / "load.md").read_text()
    assert not redis.is_running()


@pytest.mark.redis
@pytest.mark.slow
def test_a_server_that_does_not_recover_fails_the_run(start_load):
    """With ``JOURNAL=off`` a server is as those were before recovery was invented."""
    load = start_load(*SHORT, "--patience", "1", JOURNAL="off")
    output, _ = load.communicate(timeout=ENDS_WITHIN_S)

    assert load.returncode == 1, output
    assert re.search(r"; 0 of [1-9]\d* returns recovered", output)
    assert " 0 lost" not in output


@pytest.mark.redis
def test_a_server_that_does_not_start_is_no_result(tmp_path, start_load):
    """Nothing was measured: no page is written over a good one."""
    load = start_load(*SHORT, RECOVERY_MINUTES="many")
    output, _ = load.communicate(timeout=ENDS_WITHIN_S)

    assert load.returncode == 2, output
    assert "RECOVERY_MINUTES" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("level", "count"), [(logging.INFO, 0), (logging.WARNING, 0), (logging.ERROR, 1)]
)
def test_errors_in_the_servers_log_are_found(level, count):
    """A warning is for operators: on a slow machine there may be one, and nothing is lost."""
    record = logging.LogRecord("channel_server.app", level, "", 0, "no ERROR", (), None)

    assert len(errors_in(f"\n  Open it.\n{TextFormatter().format(record)}\n")) == count


def test_a_moment_is_a_second_of_its_own():
    """What comes after a cut is counted, and no part of the latency."""
    timeline = Timeline(100.0)
    timeline.published(100.1, online=2)
    timeline.received(100.2, 4.0)
    timeline.received(100.3, 8.0)
    timeline.caught_up(101.5)
    timeline.recovered(101.6)
    timeline.published(102.0, online=3)
    timeline.published(103.0, online=3)
    timeline.received(104.0, 1.0)

    first, second, third = timeline.moments()

    assert (first.online, first.published, first.received) == (2, 1, 2)
    assert (first.p50_ms, first.p95_ms, first.p99_ms) == (4.0, 8.0, 8.0)
    assert (second.caught_up, second.recovered, second.received) == (1, 1, 0)
    assert second.p50_ms is None
    assert third.online == 3


def test_a_line_is_interrupted_where_there_is_no_value():
    """A second in which nothing came has no latency; zero would be the best of all."""
    svg = picture([Panel("A & B", [Line("", [1, 2, None, 4, 0])])])

    (line,) = [e for e in ET.fromstring(svg).iter() if e.get("class") == "line s0"]
    assert re.sub(r"[\d. -]", "", line.get("d")) == "MLML"


@pytest.mark.parametrize("values", [[], [None], [0, 0], [7], [0.004, 0.002], [12_345_678, 1]])
def test_any_values_can_be_drawn(values):
    """A run may end before anything happened."""
    assert ET.fromstring(picture([Panel("", [Line("x", values)])])).tag.endswith("svg")
