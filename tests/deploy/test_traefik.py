"""What Traefik makes of requests, with nodes that only pretend, and with a real one.

The same as ``tests/faults/test_proxy_files.py`` for the other proxies, but that here a session is
known by the address it comes from. A whole loopback network is at our disposal.
"""

import http.client
import json
import re
import socket

import pytest
import yaml
from websockets.sync.client import connect

from channel_server.config import Settings
from channel_server.engine.options import Options
from tests.deploy.programs import DEPLOY
from tests.deploy.traefik import HOST, traefik
from tests.faults.stub_node import StubNode
from tests.integration.program import Program
from tests.ports import free_port
from tests.servers import wait_until

pytestmark = pytest.mark.slow

OPEN = "/socket.io/?EIO=4&transport=polling&channel_token=a-secret"
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 26)]
NOTICED_WITHIN_S = 5.0


def ask(proxy, path, method="GET", *, address="127.0.0.1", **headers):
    """Return status and text of the answer to one request, on a connection of its own."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", proxy.port, timeout=10, source_address=(address, 0)
    )
    try:
        body = "3" if method == "POST" else None
        connection.request(method, path, body, {"Host": HOST, **headers})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def open_session(proxy, address):
    """Open a session. Return the path of its further requests, its id, and the address."""
    status, text = ask(proxy, OPEN, address=address)
    assert status == 200, text
    (sid,) = re.findall('"sid":"(.+?)"', text)
    return f"{OPEN}&sid={sid}", sid, address


@pytest.fixture
def nodes():
    with StubNode() as first, StubNode() as second:
        yield first, second


@pytest.fixture
def proxy(nodes, tmp_path):
    with traefik(tmp_path, [node.port for node in nodes]) as proxy:
        passes_requests_on(proxy)
        yield proxy


def passes_requests_on(proxy):
    """Wait until it has read its second file (404 before), and found a node (503 before)."""
    wait_until(
        lambda: ask(proxy, "/socket.io/")[0] not in {404, 503},
        within_s=NOTICED_WITHIN_S,
        what="Traefik passes requests on",
    )


@pytest.fixture
def sessions(proxy, nodes):
    """Sessions from many addresses, some on each node."""
    opened = [open_session(proxy, address) for address in ADDRESSES]
    assert all(node.sessions for node in nodes)
    return opened


def test_all_requests_of_a_session_reach_its_node(proxy, sessions):
    """One after the other, which takes turns would not survive; GET and POST."""
    statuses = {
        ask(proxy, path, method, address=address)[0]
        for path, _, address in sessions
        for method in ("GET", "POST", "GET")
    }

    assert statuses == {200}


def test_a_draining_node_gets_no_new_sessions(proxy, nodes, sessions):
    """As soon as the check has noticed; and who polls there is told to begin anew."""
    draining, other = nodes
    draining.is_draining = True
    path, sid, address = next(each for each in sessions if each[1] in draining.sessions)
    wait_until(
        lambda: ask(proxy, path, address=address)[0] == 400,
        within_s=NOTICED_WITHIN_S,
        what="the session is unknown",
    )
    old = set(draining.sessions)

    later = {open_session(proxy, each)[1] for each in ADDRESSES}

    assert sid in old
    assert draining.sessions == old
    assert later <= other.sessions


def test_a_node_that_is_gone_is_replaced_by_the_other(proxy, nodes, sessions):
    """As soon as the check has noticed: until then its clients get 502, and try again."""
    gone, other = nodes
    gone.end()
    wait_until(
        lambda: all(ask(proxy, OPEN, address=each)[0] == 200 for each in ADDRESSES),
        within_s=NOTICED_WITHIN_S,
        what="nobody is sent to the node that is gone",
    )

    statuses = {sid: ask(proxy, path, address=address)[0] for path, sid, address in sessions}

    assert statuses == {sid: 200 if sid in other.sessions else 400 for sid in statuses}


def test_only_the_socket_io_path_is_passed_on(proxy, nodes):
    """A node's health is for its operator."""
    before = [*nodes[0].asked, *nodes[1].asked]

    statuses = [ask(proxy, path)[0] for path in ("/", "/live", "/ready", "/socket.iox/")]

    assert statuses == [404] * 4
    assert [*nodes[0].asked, *nodes[1].asked] == before


def test_the_node_is_told_the_address_of_the_client(proxy, nodes):
    """And not what the client has made up."""
    ask(proxy, OPEN, address="127.0.0.9", **{"X-Forwarded-For": "203.0.113.9"})

    heard = [asked.headers.get_all("X-Forwarded-For") for node in nodes for asked in node.asked]
    assert ["127.0.0.9"] in heard
    assert not any("203.0.113.9" in address for addresses in heard for address in addresses)


def test_no_log_has_the_token(tmp_path):
    """Neither when all is well, nor when a node is gone."""
    with StubNode() as node, traefik(tmp_path, [node.port, free_port()]) as proxy:
        passes_requests_on(proxy)
        for address in ADDRESSES:
            ask(proxy, OPEN, address=address)
        assert ask(proxy, f"{OPEN}&sid=unknown", "POST", Referer=f"http://x{OPEN}")[0] >= 400
        node.end()
        for address in ADDRESSES:
            ask(proxy, OPEN, address=address)
        wait_until(
            lambda: proxy.log().count('"RequestMethod"') > 2 * len(ADDRESSES),
            within_s=5,
            what="all requests are logged",
        )

    assert "a-secret" not in proxy.log()
    assert '"ServiceAddr"' in proxy.log()


@pytest.fixture
def ready_server(redis_server, tmp_path):
    """A real one, which answers 200 when Traefik looks for the first time."""
    with Program(tmp_path, REDIS_URL=redis_server.url) as server:
        yield server.wait_ready()


@pytest.mark.redis
def test_a_web_socket_reaches_a_real_server(ready_server, tmp_path):
    """And what it says comes back."""
    url = f"ws://{HOST}/socket.io/?EIO=4&transport=websocket"
    with traefik(tmp_path, [ready_server.port, ready_server.port]) as proxy:
        passes_requests_on(proxy)
        line = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
        with connect(url, sock=line) as websocket:
            opened = websocket.recv(timeout=10)
            websocket.send("40")
            answered = websocket.recv(timeout=10)

    assert json.loads(opened.removeprefix("0"))["pingInterval"] == 25_000
    assert answered.startswith('40{"sid"')


def test_times_belong_together():
    """The node finds out who is gone, and closes idle connections last; checks come in time."""
    options = Options()
    http_part = yaml.safe_load((DEPLOY / "traefik" / "channel_server.yaml").read_text())["http"]
    times = http_part["serversTransports"]["channel_servers"]["forwardingTimeouts"]
    check = http_part["services"]["channel_servers"]["loadBalancer"]["healthCheck"]

    assert seconds(times["responseHeaderTimeout"]) > (
        options.ping_interval_s + options.ping_timeout_s
    )
    assert seconds(times["idleConnTimeout"]) < options.idle_timeout_s
    assert 2 * seconds(check["interval"]) <= Settings().drain_delay_s


def seconds(text):
    """Read a duration such as 60s or 500ms."""
    number, unit = re.fullmatch(r"(\d+)(m?s)", text).groups()
    return int(number) / (1000 if unit == "ms" else 1)
