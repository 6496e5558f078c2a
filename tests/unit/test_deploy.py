"""What can be known about the deployment files without a Docker engine."""

import contextlib
import http.server
import json
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
import typer.main

from channel_server.cli import app
from channel_server.collab_config import CollabSettings
from channel_server.config import Settings
from channel_server.engine.options import Options
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PORT = "5000"


def dockerfile():
    """Read the Dockerfile as ``(instruction, arguments)``, continued lines joined."""
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text)
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line]


def arguments(name):
    """Arguments of every instruction of this name, in order."""
    return [text for instruction, text in dockerfile() if instruction == name]


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


def test_the_image_installs_pinned_versions_and_what_reports_errors():
    """Loomio's environment may name SENTRY_PUBLIC_DSN. Development tools would triple its size."""
    (install,) = [text for text in arguments("RUN") if " install --no-cache-dir " in text]

    assert "--constraint deploy/constraints.txt" in install
    assert re.findall(r"\[(.*?)\]", install) == ["server,sentry"]
    # From the wheel that was just built: a package of that name elsewhere is not ours.
    assert '"$(echo /wheels/*.whl)[server,sentry]"' in install


def test_the_image_starts_from_one_release_of_python_and_debian():
    """Such as 3.12-slim-trixie: "latest", and a tag without Debian's name, change under us."""
    bases = [text.split()[0] for text in arguments("FROM")]

    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-[a-z]+", bases[0])


def test_the_image_is_built_as_is_good_custom():
    """What hadolint would say, and what it does not look at."""
    text = (DEPLOY / "Dockerfile").read_text()
    names = {name for name, _ in dockerfile()}

    assert "ADD" not in names
    assert names <= {
        "FROM",
        "WORKDIR",
        "RUN",
        "COPY",
        "ENV",
        "USER",
        "EXPOSE",
        "HEALTHCHECK",
        "CMD",
    }
    assert not re.search(r"\b(apt|apt-get|curl|wget|sudo)\b", text)
    assert all("--no-cache-dir" in each for each in arguments("RUN") if re.match(r"pip\b", each))
    # What is built in the first stage, and nothing else of it, is in the second.
    assert [each for each in arguments("COPY") if each.startswith("--from")] == [
        "--from=build /opt/channel-server /opt/channel-server"
    ]


def test_everything_the_image_copies_exists_and_is_let_through():
    """The ignore file shuts out all that it does not name."""
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [text.split()[:-1] for text in arguments("COPY") if not text.startswith("--from")]
    sources = {source for each in copied for source in each if not source.startswith("--")}

    assert "*" in ignored
    assert sources == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert all((ROOT / source).exists() for source in sources)


@contextlib.contextmanager
def live_server():
    """A server that answers ``/live`` with 200 and all else with 404; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/live" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


def health_exit_code(**env):
    """Run the health check with this Python, and with a proxy in the way that is not there."""
    (text,) = arguments("HEALTHCHECK")
    program, path = json.loads(text.partition(" CMD ")[2])
    (copied,) = [text.split() for text in arguments("COPY") if text.endswith(path)]
    assert program == "python"
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("PORT")}
    return subprocess.run(
        [sys.executable, ROOT / copied[0]],
        env=inherited | {"http_proxy": "http://127.0.0.1:1", "no_proxy": ""} | env,
        check=False,
    ).returncode


@pytest.mark.parametrize("variable", ["PORT", "COLLAB_PORT", "HOCUSPOCUS_PORT"])
def test_the_health_check_passes_while_either_server_lives(variable):
    """A proxy in the environment is for the way out, not for the way to ourselves."""
    with live_server() as port:
        assert health_exit_code(**{variable: port}) == 0


def test_the_health_check_of_documents_is_not_confused_by_the_port_of_live_updates():
    """Both containers of loomio-deploy share one environment."""
    with live_server() as port:
        assert health_exit_code(PORT="1", COLLAB_PORT=port) == 0


@pytest.mark.serial  # another test may have a server on one of the default ports
def test_the_health_check_fails_if_nobody_listens():
    """Bound but not listening: nobody else can take the port meanwhile."""
    with socket.socket() as taken:
        # Below those of outgoing connections: one of ours could reach itself there.
        port = str(free_port())
        taken.bind(("127.0.0.1", int(port)))

        assert health_exit_code(PORT=port, COLLAB_PORT=port) != 0


def test_the_health_check_knows_where_servers_listen_by_default():
    """With and without RAILS_ENV."""
    text = (DEPLOY / "healthcheck.py").read_text()
    defaults = {
        Settings().port,
        CollabSettings().port,
        CollabSettings.from_env({"RAILS_ENV": "production"}).port,
    }

    assert all(f'"{port}"' in text for port in defaults)


def npm(folder, *words):
    """Run the shim of the image, with a channel-server that only says what it is asked."""
    program = folder / "channel-server"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    command = ["sh", DEPLOY / "npm", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_npm_run_hocuspocus_serves_documents(tmp_path):
    """So that loomio-deploy's compose file needs no other command."""
    result = npm(tmp_path, "run", "hocuspocus")

    assert (result.returncode, result.stdout) == (0, "collab\n")
    assert is_a_command(["channel-server", result.stdout.strip()])


@pytest.mark.parametrize("words", [(), ("install",), ("run",), ("run", "start")])
def test_there_is_no_other_npm(tmp_path, words):
    """Who expects one should be told."""
    result = npm(tmp_path, *words)

    assert result.returncode != 0
    assert not result.stdout
    assert "npm run hocuspocus" in result.stderr


def test_the_shim_is_in_the_image_under_its_name():
    """On the PATH, and for everybody to run."""
    (copied,) = [text for text in arguments("COPY") if "deploy/npm" in text]

    assert copied == "--chmod=555 deploy/npm /usr/local/bin/npm"


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
