"""Each server has an internal port; what it cannot do without one, it does not need one for."""

import json
import re
import socket

import pytest

from tests.integration.pages import pages_of
from tests.integration.program import Program
from tests.internal.site import KEY, PASSWORD, Server

pytestmark = [pytest.mark.redis]

APP = "http://127.0.0.1:1"


def names(server):
    """Names of all metrics."""
    return set(re.findall(r"^# TYPE (\w+)", server.ask("/metrics").body, re.MULTILINE))


def test_serve_has_those_of_live_updates_and_of_bots(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, BOTS="1") as server:
        found = names(server)

    assert {"channel_server_connections", "channel_server_bots_waiting"} <= found
    assert "channel_server_collab_documents" not in found


def test_collab_has_those_of_documents_and_no_dashboard(tmp_path):
    with Server(tmp_path, "collab", PRIVATE_APP_URL=APP, COLLAB_PORT="0") as server:
        found = names(server)
        health = [server.ask(path).status for path in ("/live", "/startup", "/ready")]
        others = [server.ask(path).status for path in ("/admin", "/api/info", "/")]
        announced = server.lines("listening")

    assert {"channel_server_collab_documents", "channel_server_slow_clients"} <= found
    assert health == [200, 200, 200]
    assert others == [404, 404, 404]
    assert f"admin=127.0.0.1:{server.admin_port}" in announced[0]
    assert "dashboard" not in announced[0]


def test_the_line_at_the_start_says_what_an_operator_must_check(redis_server, tmp_path):
    secrets = {"ADMIN_API_KEY": KEY, "ADMIN_PASSWORD": PASSWORD}
    with Server(
        tmp_path,
        REDIS_URL=redis_server.url,
        PUBLIC_APP_URL="https://loomio.example",
        LOG_FORMAT="json",
        **secrets,
    ) as server:
        (line,) = server.lines("listening")

    told = json.loads(line)
    assert told["port"] == server.port
    assert told["redis"] == redis_server.url
    assert told["cors_origin"] == "https://loomio.example"
    assert (told["journal"], told["bots"]) == ("redis", 0)
    assert told["admin"] == f"127.0.0.1:{server.admin_port}"
    assert (told["dashboard"], told["api"]) == ("password", "key")
    assert KEY not in line
    assert PASSWORD not in line


def test_a_port_that_is_taken_is_a_warning_and_clients_are_served(redis_server, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_PORT=taken) as server:
            server.wait_ready()
            (warning,) = server.lines("no internal port")

    assert " WARNING " in warning
    assert f"port={taken}" in warning
    assert "admin=off" in server.lines("listening")[0]


def test_it_can_be_switched_off(redis_server, tmp_path):
    with Program(tmp_path, REDIS_URL=redis_server.url, ADMIN_PORT="0") as server:
        assert "admin=off" in server.lines("listening")[0]
        assert not server.lines("no internal port")


def test_a_misspelt_variable_is_named_without_its_value(redis_server, tmp_path):
    with Program(tmp_path, REDIS_URL=redis_server.url, ADMIN_PASWORD="planted words") as server:
        (warning,) = server.lines("a variable has no effect")

    assert "variable=ADMIN_PASWORD meant=ADMIN_PASSWORD" in warning
    assert "planted" not in server.output()


@pytest.mark.asyncio
async def test_health_is_told_while_it_drains(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, DRAIN_DELAY_SECONDS="5") as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter("unknown")

            assert server.ask("/api/drain", "POST").body == {"clients": 1}

            answer = server.ask("/ready")
            assert (answer.status, answer.body["status"]) == (503, "draining")
            assert server.ask("/live").status == 200
            assert server.ask("/metrics").status == 200
