"""What can be known about the deployment files without a Docker engine."""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import typer.main

from channel_server.cli import app
from channel_server.config import Settings
from channel_server.engine.options import Options

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PORT = "5000"


def dockerfile():
    """Read the Dockerfile as ``(instruction, arguments)``, continued lines joined."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def arguments(name):
    """Arguments of every instruction of this name, in order."""
    return [text for instruction, text in dockerfile() if instruction == name]


def health_command():
    """The health check in exec form."""
    (text,) = arguments("HEALTHCHECK")
    return json.loads(text.partition(" CMD ")[2])


def simple_yaml(text):
    """Read the part of YAML that compose.yaml keeps to: nested mappings, JSON lists, plain text."""
    root = {}
    levels = [(-1, root)]
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = re.fullmatch(r"( *)([A-Za-z_]+):(?: (\S.*))?", line)
        assert match, f"not as simple as this test can read: {line!r}"
        depth, key, value = len(match[1]), match[2], match[3]
        while levels[-1][0] >= depth:
            levels.pop()
        if value is None:
            levels.append((depth, {}))
            levels[-2][1][key] = levels[-1][1]
        else:
            levels[-1][1][key] = json.loads(value) if value.startswith("[") else value
    return root


@pytest.fixture(scope="module")
def services():
    return simple_yaml((DEPLOY / "compose.yaml").read_text())["services"]


def is_a_command(words):
    """Whether these words run a console script of ours, with a command that it has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    program, command = words
    return program in project["scripts"] and command in typer.main.get_command(app).commands


def test_the_image_exposes_5000_and_nothing_else():
    """nginx-proxy picks the port by itself only if there is one."""
    assert arguments("EXPOSE") == [PORT]
    assert Settings().port == int(PORT)


def test_the_image_runs_a_command_that_exists():
    """In exec form: a shell would keep SIGTERM to itself."""
    (command,) = arguments("CMD")

    assert is_a_command(json.loads(command))


def test_the_image_does_not_run_as_root():
    """After the last FROM: a stage inherits no user from another."""
    instructions = dockerfile()
    last_stage = max(i for i, (name, _) in enumerate(instructions) if name == "FROM")
    users = [text for name, text in instructions[last_stage:] if name == "USER"]

    assert len(users) == 1
    assert all(part.isdigit() and int(part) > 0 for part in users[0].split(":"))


def test_the_image_installs_pinned_versions_and_no_extras():
    """Development tools would triple its size."""
    (install,) = [text for text in arguments("RUN") if " install " in text]

    assert "--constraint deploy/constraints.txt" in install
    assert "[" not in install


def test_everything_the_image_copies_exists_and_is_let_through():
    """The ignore file shuts out all that it does not name."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [text.split()[:-1] for text in arguments("COPY") if not text.startswith("--from")]
    sources = {source for each in copied for source in each}

    assert "*" in ignored
    assert sources == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / source).exists() for source in sources)


@pytest.fixture
def live_port():
    """The port of a server that answers ``/live`` with 200 and all else with 404."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def health_exit_code(port):
    """Run the health check with this Python, and with a proxy in the way that is not there."""
    program, *rest = health_command()
    assert program == "python"
    env = {**os.environ, "PORT": str(port), "http_proxy": "http://127.0.0.1:1", "no_proxy": ""}
    command = [sys.executable, *rest]
    return subprocess.run(command, env=env, stderr=subprocess.DEVNULL, check=False).returncode


def test_the_health_check_passes_while_the_server_lives(live_port):
    """A proxy in the environment is for the way out, not for the way to ourselves."""
    assert health_exit_code(live_port) == 0


def test_the_health_check_fails_if_nobody_listens():
    """Bound but not listening: nobody else can take the port meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))

        assert health_exit_code(taken.getsockname()[1]) != 0


def test_compose_sets_only_what_the_server_reads(services):
    """A variable that changes no setting is misspelt, or gone."""
    for name, value in services["channels"]["environment"].items():
        filled_in = re.sub(r"\$\{.*\}", "https://loomio.example.org", value)

        assert Settings.from_env({name: filled_in}) != Settings(), name


def test_compose_builds_the_dockerfile_from_the_root(services):
    """Paths in ``build`` start at compose.yaml; ``dockerfile`` starts at the context."""
    build = services["channels"]["build"]
    context = (DEPLOY / build["context"]).resolve()

    assert context == ROOT
    assert (context / build["dockerfile"]).samefile(DEPLOY / "Dockerfile")


def test_compose_publishes_the_port_that_the_image_exposes(services):
    """On the same number, so that the address in the README is right."""
    assert services["channels"]["ports"] == [f"{PORT}:{PORT}"]


def test_compose_starts_the_server_when_redis_answers(services):
    """The condition needs a health check; the URL needs the service's name."""
    channels = services["channels"]

    assert channels["depends_on"] == {"redis": {"condition": "service_healthy"}}
    assert "healthcheck" in services["redis"]
    assert channels["environment"]["REDIS_URL"] == "redis://redis:6379/0"


def test_compose_starts_both_again_after_a_crash(services):
    """But not after ``docker compose stop``."""
    assert {service["restart"] for service in services.values()} == {"unless-stopped"}


def test_the_procfile_runs_a_command_that_exists():
    """Heroku and its kin read it."""
    processes = dict(
        line.split(": ") for line in (ROOT / "Procfile").read_text().strip().splitlines()
    )

    assert processes.keys() == {"web", "collab"}
    assert all(is_a_command(command.split()) for command in processes.values())


PROXIES = ("nginx/channel_server.conf", "haproxy/haproxy.cfg")


@pytest.fixture(params=PROXIES)
def proxy_file(request):
    """Text of each proxy's configuration in turn, without comments."""
    lines = (DEPLOY / request.param).read_text().splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def seconds(text, pattern):
    """All times that a pattern finds, in seconds; at least one."""
    found = re.findall(pattern + r" (\d+)s\b", text)
    assert found
    return [int(each) for each in found]


def test_proxies_send_to_the_port_that_the_image_exposes(proxy_file):
    """Two nodes, each on a machine of its own."""
    nodes = re.findall(r"\bserver .*?([\d.]+):(\d+)", proxy_file)

    assert nodes == [("10.0.0.11", PORT), ("10.0.0.12", PORT)]


def test_proxies_leave_it_to_the_server_to_find_out_who_is_gone(proxy_file):
    """A proxy that gives up between two pings ends connections that are in order."""
    options = Options()
    times = seconds(
        proxy_file, r"(?:proxy_(?:read|send)_timeout|timeout (?:client|server|tunnel))"
    )

    assert min(times) > options.ping_interval_s + options.ping_timeout_s


def test_nginx_closes_idle_connections_before_the_server_does():
    """Else a request may meet a connection that is just being closed."""
    text = (DEPLOY / "nginx" / "channel_server.conf").read_text()
    (kept_s,) = seconds(text, "keepalive_timeout")

    assert kept_s < Options().idle_timeout_s


def test_proxies_pass_on_the_path_of_the_server(proxy_file):
    """And nothing else."""
    paths = re.findall(r"(?:location|path_beg) (\S+)", proxy_file)

    assert set(paths) - {"/"} == {Options().path}


def test_haproxy_checks_twice_while_a_draining_node_still_takes_clients():
    """DRAIN_DELAY_SECONDS is there for that."""
    text = (DEPLOY / "haproxy" / "haproxy.cfg").read_text()
    (interval_ms,) = re.findall(r"\binter (\d+)ms", text)

    assert 2 * int(interval_ms) <= Settings().drain_delay_s * 1000
