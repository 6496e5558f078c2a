"""The units, read by systemd itself, and the servers under the strictest of its bans."""

import platform
import re
import signal
import sys

import pytest

from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.spelling import OURS
from tests.deploy.programs import DEPLOY, checked, program
from tests.integration.program import Program
from tests.servers import BIN

UNITS = ("channel-server.service", "channel-collab.service")
INSTALLED = "/opt/channel-server/bin/"

# Of ten. An ordinary service has more than nine, and systemd calls two to five medium.
EXPOSURE = 1.5

# What MemoryDenyWriteExecute=yes does: no memory becomes executable. It outlives exec.
BAN = (
    sys.executable,
    "-c",
    """
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0
os.execv(sys.argv[1], sys.argv[1:])
""",
)


@pytest.fixture(params=UNITS)
def unit(request, tmp_path):
    """Path of each unit in turn; only where the program is, is another place here."""
    text = (DEPLOY / "systemd" / request.param).read_text()
    assert f"ExecStart={INSTALLED}channel-server " in text
    path = tmp_path / request.param
    path.write_text(text.replace(f"ExecStart={INSTALLED}", f"ExecStart={BIN}/"))
    return path


def settings(path):
    """Read a unit as ``(name, value)``."""
    lines = path.read_text().splitlines()
    return [tuple(line.split("=", 1)) for line in lines if re.match(r"\w+=", line)]


def value(path, name):
    """The only value of a setting."""
    (found,) = [value for each, value in settings(path) if each == name]
    return found


def environment(path):
    """What ``Environment=`` sets."""
    words = [
        word for name, text in settings(path) if name == "Environment" for word in text.split()
    ]
    return dict(word.split("=", 1) for word in words)


def analyze(*words):
    return checked([program("systemd-analyze", "apt-get install systemd"), *words])


def test_systemd_understands_every_line(unit):
    """It warns of what it does not know, and ignores it."""
    assert not analyze("verify", "--man=no", unit)


def test_little_is_left_to_attack(unit):
    """By systemd's own measure."""
    said = analyze("security", "--offline=true", f"--threshold={EXPOSURE * 10:.0f}", unit)

    (exposure,) = re.findall(r"exposure level .*?: ([\d.]+)", said)
    assert float(exposure) <= EXPOSURE


def test_units_run_commands_that_exist_with_variables_that_exist(unit):
    """And settings that can be read."""
    command = value(unit, "ExecStart").split()[1:]
    ours = {name for name in environment(unit) if not name.startswith("PYTHON")}

    assert command == ["collab" if "collab" in unit.name else "serve"]
    assert ours <= OURS
    Settings.from_env(environment(unit))
    CollabSettings.from_env(environment(unit))


def test_both_fit_on_one_machine_and_keep_documents():
    """With loomio-deploy's environment, too, both would listen on 5000."""
    path = DEPLOY / "systemd" / "channel-collab.service"
    collab = CollabSettings.from_env({"RAILS_ENV": "production"} | environment(path))

    assert collab.port != Settings().port
    assert environment(path)["ADMIN_PORT"] != "5001"
    assert collab.database.startswith(f"/var/lib/{value(path, 'StateDirectory')}/")


def test_systemd_waits_until_clients_and_documents_are_looked_after(unit):
    """The whole store of documents may take 22 seconds."""
    defaults = Settings()
    least_s = 30 if "collab" in unit.name else defaults.drain_delay_s + defaults.drain_s

    assert int(value(unit, "TimeoutStopSec")) > least_s
    assert value(unit, "KillSignal") == "SIGTERM"
    assert int(value(unit, "LimitNOFILE")) >= 100_000


def can_be_banned():
    """Whether Linux here has the ban."""
    major, minor = platform.release().split(".")[:2]
    return sys.platform == "linux" and (int(major), int(minor)) >= (6, 3)


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.skipif(not can_be_banned(), reason="Linux before 6.3 has no such ban")
@pytest.mark.parametrize("command", ["serve", "collab"])
def test_servers_run_without_memory_that_is_both_written_and_run(command, redis_server, tmp_path):
    """Some libraries write code at run time: ours do not."""
    settings = {"REDIS_URL": redis_server.url, "PRIVATE_APP_URL": "http://127.0.0.1:1"}
    with Program(tmp_path, command, wrapper=BAN, BOTS="1", COLLAB_PORT="0", **settings) as running:
        running.wait_ready()
        ended = running.stop(signal.SIGTERM)

    assert ended == 0
    assert not running.lines("Traceback")
