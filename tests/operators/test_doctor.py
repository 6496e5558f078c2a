"""`channel-server doctor`: one line for each thing, with cause and remedy; exit code 1 if any is ill."""

import socket

import pytest

from channel_server.doctor.redis import judge_skew, judge_version
from publisher import Publisher
from publisher.contract.journal import JOURNAL
from tests.integration.program import Program, run
from tests.operators.stubs import OPEN, answering
from tests.ports import free_port

pytestmark = [pytest.mark.redis]


def doctor(*arguments, **settings):
    """Run it on ports that are free, unless said otherwise."""
    ports = {"PORT": str(free_port()), "ADMIN_PORT": "0"}
    return run("doctor", *arguments, **(ports | settings))


def line_about(done, what):
    """The line about something, and the remedy that follows it."""
    lines = done.stdout.splitlines()
    (place,) = [place for place, line in enumerate(lines) if line[2:].startswith(f"{what}: ")]
    after = lines[place + 1 : place + 2]
    return lines[place], after[0].strip() if after and after[0].startswith("    →") else ""


def test_a_healthy_site(redis_server, tmp_path):
    with (
        Publisher.from_url(redis_server.url) as publisher,
        Program(
            tmp_path, REDIS_URL=redis_server.url, PUBLIC_APP_URL="https://loomio.example"
        ) as server,
    ):
        server.wait_ready()
        token = publisher.tokens.issue({"id": 7, "name": "Ann Example"}, group_ids=[1, 2, 3])

        done = doctor(
            "--url",
            server.url,
            REDIS_URL=redis_server.url,
            PORT=str(server.port),
            PUBLIC_APP_URL="https://loomio.example",
            CHANNEL_TOKEN=token,
        )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert line_about(done, "PORT")[0].endswith("is ours: a server runs, and is ok")
    assert line_about(done, "Token")[0] == "✓ Token: a user with 3 groups"
    assert line_about(done, "CORS")[0].startswith("✓ CORS: pages of https://loomio.example may")
    for what in ("Redis", "Clock", "Publish and subscribe", "Journal", "Polling", "WebSocket"):
        assert line_about(done, what)[0].startswith("✓")
    assert token not in done.stdout + done.stderr
    assert "Ann" not in done.stdout + done.stderr


# ── Redis ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("version", "journal", "mark"),
    [
        (("redis", 4, 0), "redis", "✗"),
        (("redis", 4, 0), "memory", "✓"),
        (("valkey", 9, 1), "redis", "✓"),
        (None, "redis", "·"),
    ],
)
def test_a_redis_that_is_too_old(version, journal, mark):
    assert str(judge_version(version, "redis://localhost", journal)).startswith(mark)


@pytest.mark.parametrize(("skew_s", "mark"), [(0.1, "✓"), (-1.9, "✓"), (-2.1, "✗"), (3600.0, "✗")])
def test_clocks_that_are_apart(skew_s, mark):
    """Tokens and recovery are counted by the clock of Redis, and of this machine."""
    assert str(judge_skew(skew_s)).startswith(mark)


def test_no_redis():
    done = doctor(REDIS_URL=f"redis://:secret-word@127.0.0.1:{free_port()}")
    line, remedy = line_about(done, "Redis")

    assert done.returncode == 1
    assert "ConnectionRefusedError" in line
    assert "start it, or correct REDIS_URL" in remedy
    assert "secret-word" not in done.stdout


def test_the_variable_that_is_in_force_is_named():
    done = doctor(
        REDIS_CACHE_URL=f"redis://127.0.0.1:{free_port()}", REDIS_URL="redis://127.0.0.1:6379"
    )

    assert "correct REDIS_CACHE_URL" in line_about(done, "Redis")[1]


def test_a_redis_that_wants_a_password(new_redis_server):
    redis_server = new_redis_server("--requirepass", "secret-word", password="secret-word")
    without = doctor(REDIS_URL=f"unix://{redis_server.socket}")
    wrong = doctor(REDIS_URL=f"unix://:another@{redis_server.socket}")

    assert "it wants a password" in line_about(without, "Redis")[1]
    assert "correct the user or the password" in line_about(wrong, "Redis")[1]
    assert without.returncode == wrong.returncode == 1


@pytest.mark.parametrize(
    ("harm", "what", "remedy"),
    [
        pytest.param(
            lambda redis: redis.config_set("maxmemory", 1), "Journal", "Redis is full", id="full"
        ),
        pytest.param(
            lambda redis: redis.replicaof("127.0.0.1", 1), "Journal", "a replica", id="replica"
        ),
        pytest.param(
            lambda redis: redis.set(JOURNAL, "mine"),
            "Journal",
            "delete it",
            id="another program's",
        ),
        pytest.param(
            lambda redis: redis.execute_command("ACL SETUSER default resetchannels"),
            "Publish and subscribe",
            "the ACL lacks something",
            id="no channels",
        ),
        pytest.param(
            lambda redis: redis.execute_command("ACL SETUSER default -eval"),
            "Journal",
            "the ACL lacks something",
            id="no scripts",
        ),
    ],
)
def test_a_redis_in_trouble(new_redis_server, harm, what, remedy):
    redis_server = new_redis_server()
    with redis_server.client() as redis:
        harm(redis)

        done = doctor(REDIS_URL=redis_server.url)

    line, found = line_about(done, what)
    assert line.startswith("✗"), done.stdout
    assert remedy in found
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"maxmemory": "100mb", "appendonly": "yes"}, "✓ Documents: Redis drops none and writes"),
        (
            {"maxmemory": "100mb", "maxmemory-policy": "allkeys-lru", "save": ""},
            "✗ Documents: Redis drops some when it is full (maxmemory-policy allkeys-lru) and loses",
        ),
        (
            {"maxmemory": "100mb", "maxmemory-policy": "volatile-lru", "save": "900 1"},
            "✗ Documents: Redis drops some when it is full (maxmemory-policy volatile-lru), but",
        ),
        (
            {"maxmemory": "0", "maxmemory-policy": "allkeys-lru", "save": ""},
            "✗ Documents: Redis loses all in a restart, but for those that are open",
        ),
        ({"maxmemory": "0", "save": "900 1"}, "✓ Documents: Redis drops none and writes"),
    ],
)
def test_a_redis_that_is_to_keep_documents(new_redis_server, settings, said):
    redis_server = new_redis_server()
    with redis_server.client() as redis:
        for name, value in settings.items():
            redis.config_set(name, value)

        done = doctor(REDIS_URL=redis_server.url, COLLAB_REDIS="1")

    line, remedy = line_about(done, "Documents")
    assert line.startswith(said)
    assert ("COLLAB_DATABASE" in remedy) is line.startswith("✗")


def test_a_redis_that_does_not_say_what_it_keeps(new_redis_server):
    redis_server = new_redis_server()
    with redis_server.client() as redis:
        redis.execute_command("ACL SETUSER default -info -config")

        done = doctor(REDIS_URL=redis_server.url, COLLAB_REDIS="1")

    assert line_about(done, "Documents")[0].startswith("· Documents")


def test_nothing_of_it_stays_in_redis(new_redis_server):
    redis_server = new_redis_server()

    doctor(REDIS_URL=redis_server.url)

    with redis_server.client() as redis:
        assert redis.keys() == []


@pytest.mark.parametrize("token", ["nobodys-token", "null", "x" * 2000])
def test_a_token_that_nobody_has(redis_server, token):
    done = doctor("--token", token, REDIS_URL=redis_server.url)

    assert line_about(done, "Token")[0].startswith("✗")
    assert token not in done.stdout or token == "null"


# ── the machine and the settings ────────────────────────────────────────────────────────────────


def test_a_port_that_another_program_has(redis_server):
    with answering(404) as url, socket.create_server(("127.0.0.1", 0)) as silent:
        port = url.rpartition(":")[2]
        admin = str(silent.getsockname()[1])

        done = doctor(REDIS_URL=redis_server.url, PORT=port, ADMIN_PORT=admin)

    assert "is taken by another program" in line_about(done, "PORT")[0]
    assert "is taken by another program" in line_about(done, "ADMIN_PORT")[0]
    assert done.returncode == 1


def test_a_server_that_is_not_well(tmp_path):
    away = f"unix://{tmp_path}/none"
    with Program(tmp_path, REDIS_URL=away) as server:
        done = doctor(REDIS_URL=away, PORT=str(server.port))

    line, remedy = line_about(done, "PORT")
    assert line.endswith("is ours, and the server is starting")
    assert "/ready" in remedy


def test_a_server_that_is_full(redis_server, tmp_path):
    """Found by a new user, who was told to end it."""
    with Program(tmp_path, REDIS_URL=redis_server.url, MAX_CONNECTIONS="1") as server:
        server.wait_ready()
        with socket.create_connection(("127.0.0.1", server.port)):
            done = doctor("--url", server.url, REDIS_URL=redis_server.url, PORT=str(server.port))

    for what in ("PORT", "Polling"):
        line, remedy = line_about(done, what)
        assert "too many connections" in line
        assert "MAX_CONNECTIONS" in remedy


def test_a_server_that_uses_another_redis(redis_server, new_redis_server, tmp_path):
    other = new_redis_server()
    admin = str(free_port())
    with Program(tmp_path, REDIS_URL=other.url, ADMIN_PORT=admin) as server:
        server.wait_ready()

        done = doctor(REDIS_URL=redis_server.url, PORT=str(server.port), ADMIN_PORT=admin)

    line, remedy = line_about(done, "Server")
    assert line.startswith("✗ Server: the one that runs here uses")
    assert "the same REDIS_URL" in remedy


def test_no_server_is_nothing_wrong(redis_server):
    done = doctor(REDIS_URL=redis_server.url, ADMIN_PORT=str(free_port()))

    assert line_about(done, "Server")[0].startswith("· Server: not asked: nobody listens there")
    assert line_about(done, "PORT")[0].startswith("· PORT")
    assert done.returncode == 0


def test_another_program_that_speaks_json_is_no_server(redis_server):
    with answering(body='{"node": 1}', headers=(("Content-Type", "application/json"),)) as url:
        done = doctor(REDIS_URL=redis_server.url, ADMIN_PORT=url.rpartition(":")[2])

    assert line_about(done, "Server")[0] == "· Server: not asked: another program answers"
    assert line_about(done, "Redis")[0].startswith("✓")


def test_a_variable_that_was_misspelt(redis_server):
    done = doctor(REDIS_URL=redis_server.url, RECOVERY_MINUTE="5")

    assert line_about(done, "Variables") == (
        "✗ Variables: RECOVERY_MINUTE has no effect",
        "→ is RECOVERY_MINUTES meant?",
    )


def test_few_file_descriptors(redis_server):
    done = run(
        "doctor",
        wrapper=("sh", "-c", 'ulimit -n 256 && exec "$@"', "sh"),
        REDIS_URL=redis_server.url,
        PORT="0",
        ADMIN_PORT="0",
    )

    assert "LimitNOFILE" in line_about(done, "File descriptors")[1]


def test_wrong_settings_are_told_as_ever():
    done = doctor(PORT="many")

    assert done.returncode == 2
    assert "configuration: PORT must be a whole number" in done.stderr


# ── the way from a browser ──────────────────────────────────────────────────────────────────────

STAR = ("Access-Control-Allow-Origin", "*")


@pytest.mark.parametrize(
    ("stub", "what", "remedy"),
    [
        (
            {"status": 404},
            "Polling",
            "does not pass /socket.io/ on, or passes it on to another port",
        ),
        ({"status": 502}, "Polling", "cannot reach the server"),
        ({"status": 503}, "Polling", "not ready"),
        ({"status": 504}, "Polling", "time-out"),
        (
            {"status": 301, "headers": (("Location", "https://elsewhere.example"),)},
            "Polling",
            "CHANNELS_URL",
        ),
        ({"body": "<html>hello</html>"}, "Polling", "correct the proxy"),
        ({"body": '0{"sid":7}'}, "Polling", "correct the proxy"),
        ({"headers": ()}, "CORS", "must not take headers away"),
        ({"headers": (STAR, STAR)}, "CORS", "must not add Access-Control-Allow-Origin"),
        (
            {"headers": ((STAR[0], "https://other.example"),)},
            "CORS",
            "set PUBLIC_APP_URL=https://loomio.example",
        ),
        ({"later": 400}, "Sessions stay", "must be sticky"),
        (
            {"status": 503, "body": "too many connections"},
            "Polling",
            "raise MAX_CONNECTIONS",
        ),
        (
            {"status": 429, "body": "too many sessions from this address"},
            "Polling",
            "does TRUSTED_PROXIES name all proxies",
        ),
        ({"status": 400}, "Polling", "drops the query"),
        ({"status": 401}, "Polling", "the proxy wants a password"),
        ({"status": 403}, "Polling", "or ORIGIN_CHECK, refuses"),
        ({"upgrade": 400}, "WebSocket", "must pass WebSocket upgrades on"),
        pytest.param(
            {"upgrade": 101},
            "WebSocket",
            "a proxy that waits for a server",
            id="a WebSocket that says nothing",
        ),
    ],
)
def test_a_proxy_that_is_set_up_wrongly(redis_server, stub, what, remedy):
    with answering(**stub) as url:
        done = doctor(
            "--url", url, REDIS_URL=redis_server.url, PUBLIC_APP_URL="https://loomio.example"
        )

    line, found = line_about(done, what)
    assert line.startswith("✗")
    assert remedy in found
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://no-such-host.invalid", "add a record"),
        ("https://127.0.0.1:{port}", "no TLS"),
        ("http://127.0.0.1:1", "is the proxy running"),
    ],
)
def test_an_address_that_leads_nowhere(redis_server, url, remedy):
    with answering(body=OPEN) as there:
        address = url.format(port=there.rpartition(":")[2])

        done = doctor("--url", address, REDIS_URL=redis_server.url)

    assert remedy in line_about(done, "Polling")[1], done.stdout


def test_an_address_without_a_scheme(redis_server):
    done = doctor("--url", "channels.example.org", REDIS_URL=redis_server.url)

    assert "write https://" in line_about(done, "Public address")[1]


def test_whose_pages_may_call_is_told_where_it_is_not_known_here(redis_server):
    with answering(headers=(("Access-Control-Allow-Origin", "https://other.example"),)) as url:
        done = doctor("--url", url, REDIS_URL=redis_server.url)

    line, remedy = line_about(done, "CORS")
    assert line == "· CORS: pages of https://other.example may call"
    assert "address bar" in remedy


# ── who else is asked ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "mark", "said"),
    [
        (401, "✓", "says who may edit"),
        (200, "✗", "lets a stranger edit"),
        (404, "✗", "status 404"),
    ],
)
def test_the_application(redis_server, status, mark, said):
    with answering(status) as url:
        done = doctor(REDIS_URL=redis_server.url, PRIVATE_APP_URL=url)

    line = line_about(done, "Application")[0]
    assert line.startswith(mark)
    assert said in line


def test_an_empty_address_of_the_application_is_none(redis_server):
    """As compose.yaml passes it on."""
    settings = {"PRIVATE_APP_URL": "", "PUBLIC_APP_URL": "http://127.0.0.1:1"}
    done = doctor(REDIS_URL=redis_server.url, **settings)

    assert line_about(done, "Application")[0].startswith("· Application: not looked at")
    assert done.returncode == 0


def test_the_homeserver(redis_server):
    with answering(body='{"versions":["v1.1"]}') as url, answering(404) as other:
        private = doctor("--homeserver", url, REDIS_URL=redis_server.url)
        allowed, no_matrix = (
            doctor(
                "--homeserver", each, REDIS_URL=redis_server.url, MATRIX_ALLOWED_HOSTS="127.0.0.1"
            )
            for each in (url, other)
        )

    assert "MATRIX_ALLOWED_HOSTS" in line_about(private, "Homeserver")[1]
    assert line_about(allowed, "Homeserver")[0] == "✓ Homeserver: it answers"
    assert "not a Matrix homeserver" in line_about(no_matrix, "Homeserver")[0]
