"""Two channel servers behind nginx and behind HAProxy, with the configurations of ``deploy/``."""

import contextlib
import http.client
import json
import queue
import signal
import threading

import psutil
import pytest

from publisher import Publisher
from tests.faults.proxies import PROXIES
from tests.integration.site import new_id
from tests.node_client import CLIENTS, NodeClient
from tests.ports import free_port
from tests.servers import start_channel_server, stop, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

POLLING = {"transports": ["polling"]}
WEBSOCKET = {"transports": ["websocket"]}
DEFAULT = {}

WITHIN_S = 20.0
PULSE_S = 0.1


class Client(NodeClient):
    """A stock client, asked how it is without waiting for it."""

    def look(self):
        """Take in all that it has printed so far. Return itself."""
        with contextlib.suppress(queue.Empty):
            while line := self._lines.get_nowait():
                self.events.append(json.loads(line))
        return self

    def count(self, event):
        """How many events of a kind there were."""
        return sum(each["event"] == event for each in self.events)

    def numbers(self):
        """What the pulses it has received were numbered, in the order of arrival."""
        return [data["records"]["comments"][0]["id"] for data in self.data_of("records")]

    def last(self):
        """Number of the latest pulse it has received, or -1."""
        return self.numbers()[-1] if self.data_of("records") else -1

    def transports(self):
        """On which transports its events came."""
        return {each["transport"] for each in self.events}


class Node:
    """A channel server that starts again where it was."""

    def __init__(self, redis_url):
        self.port = free_port()
        self._env = {
            "REDIS_URL": redis_url,
            "PORT": str(self.port),
            "DRAIN_DELAY_SECONDS": "1",
            "DRAIN_SECONDS": "3",
        }
        self._process = None

    def ensure(self):
        """Start it unless it runs; return when it is ready."""
        if self._process is None or self._process.poll() is not None:
            self._process = start_channel_server(self._env).process

    def open_sessions(self, count):
        """Open polling sessions that nobody uses: a drain has that many more to hang up."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for _ in range(count):
            connection.request("GET", "/socket.io/?EIO=4&transport=polling")
            assert b'"sid"' in connection.getresponse().read()
        connection.close()

    def end(self, number):
        """End it with a signal, if it was ever started. Return the exit code."""
        return None if self._process is None else stop(self._process, number)

    def connections(self):
        """How many TCP connections it serves."""
        return sum(
            connection.status == psutil.CONN_ESTABLISHED and connection.laddr.port == self.port
            for connection in psutil.Process(self._process.pid).net_connections("tcp")
        )


class Pulse:
    """Publishes to a group ten times a second until the context is left.

    Attributes:
        count: How many were published; they are numbered from 0.
    """

    def __init__(self, publisher, group_id):
        self.count = 0
        self._publisher = publisher
        self._group_id = group_id
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _run(self):
        while not self._stop.wait(PULSE_S):
            publish(self._publisher, self._group_id, self.count)
            self.count += 1


def publish(publisher, group_id, number):
    """Publish one numbered record."""
    publisher.publish_records({"comments": [{"id": number}]}, group_id=group_id)


def undisturbed(clients):
    """Whether every client has connected at once and stayed."""
    disturbances = {"disconnect", "connect_error", "reconnect"}
    return not any(disturbances & {e["event"] for e in client.look().events} for client in clients)


def all_receive_the_last(pulse, clients):
    """Wait until everybody has what was published last."""
    wait_until(
        lambda: all(client.look().last() == pulse.count - 1 for client in clients),
        within_s=WITHIN_S,
        what="everybody receives the last message",
    )


@pytest.fixture(scope="module")
def publisher(redis_server):
    with Publisher.from_url(redis_server.url) as publisher:
        yield publisher


@pytest.fixture(scope="module")
def both_nodes(redis_server):
    nodes = (Node(redis_server.url), Node(redis_server.url))
    yield nodes
    for node in nodes:
        node.end(signal.SIGKILL)


@pytest.fixture
def nodes(both_nodes):
    """Two nodes that run, whatever the test before has done to them."""
    for node in both_nodes:
        node.ensure()
    return both_nodes


@pytest.fixture(params=PROXIES)
def proxy(request, nodes, tmp_path):
    """Each proxy in turn, new for each test: it remembers no client and keeps no connection."""
    with PROXIES[request.param](tmp_path, [node.port for node in nodes]) as proxy:
        yield proxy


@pytest.fixture
def group_id():
    """A group that no other test uses."""
    return new_id()


@pytest.fixture
def open_clients(proxy, publisher, group_id):
    """Open one client of the group for each of the given options, and wait until all are in."""
    with contextlib.ExitStack() as stack:

        def open_clients(*options, token=None):
            clients = []
            for each in options:
                user = {"id": new_id(), "name": "Ann"}
                own = token or publisher.tokens.issue(user, group_ids=[group_id])
                client = Client(CLIENTS[1], proxy.url, token=own, **each)
                clients.append(stack.enter_context(client))
            for client in clients:
                client.wait_for("connect", within_s=WITHIN_S)
            return clients

        yield open_clients


@pytest.fixture
def open_on_both(open_clients, nodes):
    """Open clients, and then more of them until both nodes have some."""

    def open_on_both(*options):
        clients = open_clients(*options)
        # nginx goes by the token: there is a small chance that it sends all to one node. Two
        # connections, because one may be a check of HAProxy's.
        while min(node.connections() for node in nodes) < 2:
            assert len(clients) < 3 * len(options), "one node gets no clients"
            clients += open_clients(options[0])
        return clients

    return open_on_both


def test_a_websocket_client_connects_and_receives(open_clients, publisher, group_id):
    """The proxy has to pass the upgrade on, and must not hold frames back."""
    (client,) = open_clients(WEBSOCKET)

    publish(publisher, group_id, 1)
    client.wait_for("records")

    assert client.numbers() == [1]
    assert client.transports() == {"websocket"}


def test_default_clients_upgrade_on_either_node(open_on_both, publisher, group_id):
    """They need stickiness twice: for the polls at first, and for the upgrade of that session."""
    clients = open_on_both(*[DEFAULT] * 10)

    wait_until(  # it may have come before "connect", for which was waited already
        lambda: all(client.look().count("upgrade") for client in clients),
        within_s=WITHIN_S,
        what="everybody has upgraded",
    )
    publish(publisher, group_id, 1)
    for client in clients:
        client.wait_for("records")

    assert all(client.numbers() == [1] for client in clients)
    assert undisturbed(clients)


def test_polling_clients_stay_on_their_node(open_on_both, open_clients, publisher, group_id):
    """All from one address; two of them share a token, two have none.

    A poll that reaches another node is answered 400, and the client disconnects.
    """
    token = publisher.tokens.issue({"id": new_id(), "name": "Ben"}, group_ids=[group_id])
    members = open_on_both(*[POLLING] * 4)
    members += open_clients(POLLING, POLLING, token=token)
    visitors = open_clients(POLLING, POLLING, token="null")

    for number in range(20):
        publish(publisher, group_id, number)
        for client in members:
            client.wait_for("records")
    publisher.publish_system_notice("For everybody")
    for client in (*members, *visitors):
        client.wait_for("notice")

    assert all(client.numbers() == [*range(20)] for client in members)
    assert undisturbed((*members, *visitors))
    assert all(client.transports() == {"polling"} for client in (*members, *visitors))


def test_clients_of_a_killed_node_come_back_on_the_other(open_on_both, nodes, publisher, group_id):
    """Nobody told the proxy: it finds out by the requests that it passes on."""
    clients = open_on_both(WEBSOCKET, WEBSOCKET, WEBSOCKET, POLLING, POLLING, DEFAULT, DEFAULT)
    with Pulse(publisher, group_id) as pulse:
        nodes[0].end(signal.SIGKILL)
        killed_at = pulse.count
        wait_until(
            lambda: all(client.look().last() > killed_at for client in clients),
            within_s=WITHIN_S,
            what="everybody receives what was published after the kill",
        )
    all_receive_the_last(pulse, clients)

    lost = [client for client in clients if client.count("disconnect")]
    assert 0 < len(lost) < len(clients)
    assert all(client.count("connect") == 2 for client in lost)
    assert all(client.numbers() == [*range(pulse.count)] for client in clients)


def test_a_rolling_restart_loses_nothing(open_on_both, nodes, publisher, group_id):
    """Everybody is hung up at least once, and none of them misses or repeats a message.

    Nobody tries in vain either: the proxy sends no new session to a node that drains, and no poll
    to a node that does not have its session. A polling client behind nginx moves to the other
    node and back, so it opens three sessions; HAProxy leaves it there, until that one drains.
    """
    clients = open_on_both(*[WEBSOCKET, POLLING, DEFAULT] * 4)
    with Pulse(publisher, group_id) as pulse:
        for node in nodes:
            node.open_sessions(100)  # hung up last: clients come back while the node still drains
            assert node.end(signal.SIGTERM) == 0
            node.ensure()
    all_receive_the_last(pulse, clients)

    for client in clients:
        assert client.numbers() == [*range(pulse.count)], client.events
        assert 2 <= client.count("open") <= 3, client.events
        first, *later = (each for each in client.events if each["event"] == "connect")
        assert not first["recovered"]
        assert all(each["recovered"] for each in later)
