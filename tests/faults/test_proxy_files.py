"""What the configurations in ``deploy/`` make of single requests, with nodes that only pretend.

``test_proxies.py`` has the real ones.
"""

import http.client
import re
import subprocess

import pytest

from tests.faults.proxies import HAPROXY_CFG, PROXIES, nginx_main, program
from tests.faults.stub_node import StubNode
from tests.ports import free_port
from tests.servers import wait_until

OPEN = "/socket.io/?EIO=4&transport=polling&channel_token={token}"
TOKENS = [f"token-{number}" for number in range(12)]


def ask(proxy, path, method="GET", **headers):
    """Return status and text of the answer to one request, on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=10)
    try:
        connection.request(method, path, "3" if method == "POST" else None, headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def open_session(proxy, token):
    """Open a session. Return the path of its further requests, and its id."""
    status, text = ask(proxy, OPEN.format(token=token))
    assert status == 200, text
    (sid,) = re.findall('"sid":"(.+?)"', text)
    return f"{OPEN.format(token=token)}&sid={sid}", sid


def open_until_both_have_some(proxy, nodes):
    """Open sessions, more than twelve only if all of these went to one node."""
    sessions = [open_session(proxy, token) for token in TOKENS]
    while not all(node.sessions for node in nodes):
        sessions.append(open_session(proxy, f"another-{len(sessions)}"))
    return sessions


@pytest.fixture
def nodes():
    with StubNode() as first, StubNode() as second:
        yield first, second


@pytest.fixture(params=PROXIES)
def start_proxy(request):
    """How to start each proxy in turn: ``with start_proxy(folder, ports) as proxy``."""
    return PROXIES[request.param]


@pytest.fixture
def proxy(start_proxy, nodes, tmp_path):
    with start_proxy(tmp_path, [node.port for node in nodes]) as proxy:
        yield proxy


def test_nginx_accepts_the_file(tmp_path):
    """``nginx -t`` opens the port and the logs: these, and the nodes, are others here."""
    main = nginx_main(tmp_path, free_port(), [5000, 5000])
    command = [program("nginx"), "-t", "-p", tmp_path, "-c", main]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert "[warn]" not in result.stderr


def test_haproxy_accepts_the_file():
    """As it is."""
    command = [program("haproxy"), "-c", "-f", HAPROXY_CFG]

    result = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
    assert "[WARNING]" not in result.stderr


def test_all_requests_of_a_session_reach_its_node(proxy, nodes):
    """In any order, on connections of their own, GET and POST."""
    sessions = open_until_both_have_some(proxy, nodes)

    answers = [
        ask(proxy, path, method)
        for method in ("GET", "POST", "GET")
        for path, _ in sorted(sessions, key=lambda session: session[1][::-1])
    ]

    assert {status for status, _ in answers} == {200}


def test_visitors_without_a_token_are_sticky_too(proxy):
    """What the JavaScript client makes of null and of undefined; and no parameter at all."""
    for token in ("null", "undefined", ""):
        path, _ = open_session(proxy, token)

        assert [ask(proxy, path)[0] for _ in range(4)] == [200] * 4


def test_a_draining_node_keeps_its_sessions_and_gets_no_new_ones(proxy, nodes):
    """Also before the check has noticed, and for clients that nginx would send there."""
    draining, other = nodes
    sessions = open_until_both_have_some(proxy, nodes)
    old = set(draining.sessions)
    draining.is_draining = True

    later = [open_session(proxy, token) for token in TOKENS]
    answers = [
        ask(proxy, path, method) for path, _ in sessions + later for method in ("GET", "POST")
    ]

    assert draining.sessions == old
    assert {sid for _, sid in later} <= other.sessions
    assert {status for status, _ in answers} == {200}


def test_a_node_that_is_gone_is_replaced_by_the_other(proxy, nodes):
    """New sessions notice nothing; old ones are told that they are unknown."""
    gone, other = nodes
    sessions = open_until_both_have_some(proxy, nodes)
    gone.end()

    later = [open_session(proxy, token) for token in TOKENS]
    statuses = {sid: ask(proxy, path)[0] for path, sid in sessions + later}

    assert {sid for _, sid in later} <= other.sessions
    assert statuses == {sid: 200 if sid in other.sessions else 400 for sid in statuses}


def test_only_the_socket_io_path_is_passed_on(proxy, nodes):
    """A node's health is for its operator."""
    statuses = [ask(proxy, path)[0] for path in ("/", "/live", "/ready", "/socket.iox/")]

    assert statuses == [404] * 4
    assert not nodes[0].asked + nodes[1].asked


def test_the_node_is_told_the_address_of_the_client(proxy, nodes):
    """At the end, behind what the client may have made up."""
    ask(proxy, OPEN.format(token="t"), **{"X-Forwarded-For": "203.0.113.9"})

    (asked,) = nodes[0].asked + nodes[1].asked
    addresses = ",".join(asked.headers.get_all("X-Forwarded-For"))
    assert [each.strip() for each in addresses.split(",")] == ["203.0.113.9", "127.0.0.1"]


def test_no_log_has_the_token(start_proxy, tmp_path):
    """Neither when all is well, nor when a node is gone, nor when both are."""
    path = OPEN.format(token="a-secret")
    with StubNode() as node, start_proxy(tmp_path, [node.port, free_port()]) as proxy:
        assert ask(proxy, path)[0] == 200
        assert ask(proxy, f"{path}&sid=unknown", "POST")[0] == 400
        node.end()
        assert ask(proxy, path)[0] in {502, 503}
        wait_until(
            lambda: proxy.log().count("/socket.io/") == 3, within_s=5, what="3 requests are logged"
        )

    assert "a-secret" not in proxy.log()
