"""The stock JavaScript clients against the real server and a real Redis.

What is published is written with plain ``PUBLISH`` and ``SET``, as Rails does it.
"""

import itertools
import json
import signal
import threading

import pytest

from publisher import Publisher
from tests.node_client import CLIENTS, RECOVERING_CLIENTS, NodeClient
from tests.ports import free_port
from tests.servers import start_channel_server, stop

pytestmark = [pytest.mark.redis, pytest.mark.node]

POLLING = {"transports": ["polling"]}
WEBSOCKET = {"transports": ["websocket"]}
ONE_TRANSPORT = pytest.mark.parametrize(
    "options", [POLLING, WEBSOCKET], ids=["polling", "websocket"]
)


class Rails:
    """What a Loomio site does to Redis.

    Every user it signs in is a new one, so that no test hears another test's records.
    """

    def __init__(self, connection):
        self.redis = connection
        self._ids = itertools.count(7_001)

    def sign_in(self, *group_ids):
        """Store a new user. Return the token and the name of the user's own room."""
        user_id = next(self._ids)
        user = {"name": f"User {user_id}", "group_ids": group_ids, "id": user_id}
        self.redis.set(f"/current_users/js-{user_id}", json.dumps(user))
        return f"js-{user_id}", f"user-{user_id}"

    def publish_records(self, room, body):
        """Publish one comment. Return the message, which clients must receive unchanged."""
        message = {"room": room, "records": {"comments": [{"id": 1, "body": body}]}}
        self.redis.publish("/records", json.dumps(message, ensure_ascii=False))
        return message

    def publish_notice(self, text):
        """Publish a system notice. Return the message."""
        message = {"version": "3.0.12", "notice": text, "reload": False}
        self.redis.publish("/system_notice", json.dumps(message))
        return message


@pytest.fixture(scope="module")
def rails(redis_server):
    with redis_server.client() as connection:
        yield Rails(connection)


@pytest.fixture(scope="module")
def server_url(redis_server):
    """The address of one server for all tests that leave it running."""
    started = start_channel_server({"REDIS_URL": redis_server.url})
    yield started.url
    stop(started.process)


@pytest.fixture(params=CLIENTS)
def package(request):
    return request.param


def test_polling_alone_delivers(package, server_url, rails):
    """Some company networks let no websocket through."""
    token, room = rails.sign_in()

    with NodeClient(package, server_url, token=token, **POLLING) as client:
        connected = client.wait_for("connect")
        message = rails.publish_records(room, "hi")
        received = client.wait_for("records")

    assert connected["transport"] == received["transport"] == "polling"
    assert received["data"] == message
    assert "upgrade" not in {each["event"] for each in client.events}


def test_websocket_alone_delivers(package, server_url, rails):
    """Needs no sticky sessions, so sites with several servers ask for it."""
    token, room = rails.sign_in()

    with NodeClient(package, server_url, token=token, **WEBSOCKET) as client:
        connected = client.wait_for("connect")
        message = rails.publish_records(room, "hi")
        received = client.wait_for("records")

    assert connected["transport"] == received["transport"] == "websocket"
    assert received["data"] == message


def test_polling_upgrades_to_websocket_and_delivers(package, server_url, rails):
    """What every browser does."""
    token, room = rails.sign_in()

    with NodeClient(package, server_url, token=token) as client:
        opened = client.wait_for("open")
        client.wait_for("upgrade")
        message = rails.publish_records(room, "hi")
        received = client.wait_for("records")

    assert opened["transport"] == "polling"
    assert received["transport"] == "websocket"
    assert received["data"] == message


def test_loomios_own_call_receives_what_its_rooms_receive(package, server_url, rails):
    """``io(url, {query: {channel_token}})`` with Loomio's five handlers and nothing else.

    "reconnect" stays silent because a v4 socket never emits it; Loomio listens all the same.
    """
    token, own_room = rails.sign_in(7, 9)

    with NodeClient(package, server_url, token=token) as client:
        client.wait_for("connect")
        published = [rails.publish_records(own_room, "to the user")]
        published.append(rails.publish_records("group-7", "to a group"))
        rails.publish_records("group-8", "to a group of others")
        rails.publish_records(None, "to nobody")
        published.append(rails.publish_records("group-9", "to the other group"))
        notice = rails.publish_notice("Back in five minutes")
        client.wait_for("notice")

    assert client.data_of("records") == published
    assert client.data_of("notice") == [notice]
    assert not {"disconnect", "reconnect", "connect_error"} & {e["event"] for e in client.events}


def test_a_visitor_gets_notices_and_no_records(package, server_url, rails):
    """Loomio passes null for a visitor; the client turns it into the text "null"."""
    _, room_of_another = rails.sign_in(7)

    with NodeClient(package, server_url, token=None) as client:
        client.wait_for("connect")
        for room in (room_of_another, "group-7", "user-null", "", None):
            rails.publish_records(room, "private")
        notice = rails.publish_notice("For everybody")
        client.wait_for("notice")

    assert client.data_of("notice") == [notice]
    assert client.data_of("records") == []


@ONE_TRANSPORT
def test_unicode_and_emoji_arrive_byte_for_byte(package, server_url, rails, options):
    """Polling counts characters and websockets count bytes; both must end up with the same."""
    token, room = rails.sign_in()
    body = 'Grüße, 日本語, عربى, e\u0301, 👩‍👩‍👧‍👦 🏳️‍🌈, \u2028 \u2029 \x1e \0 </script> \\ " \n \ufeff'

    with NodeClient(package, server_url, token=token, **options) as client:
        client.wait_for("connect")
        rails.publish_records(room, body)
        (comment,) = client.wait_for("records")["data"]["records"]["comments"]

    assert comment["body"].encode() == body.encode()


@ONE_TRANSPORT
def test_records_of_300_kb_arrive_whole_and_in_order(package, server_url, rails, options):
    """Far above one read of a socket, and above what a polling response is compressed at."""
    token, room = rails.sign_in()
    bodies = ["x" * 300_000, "small", "ü" * 150_000]

    with NodeClient(package, server_url, token=token, **options) as client:
        client.wait_for("connect")
        published = [rails.publish_records(room, body) for body in bodies]
        for _ in published:
            client.wait_for("records")

    assert client.data_of("records") == published


def test_nothing_is_lost_or_doubled_while_the_client_upgrades(package, server_url, rails):
    """Messages flow from before the Socket.IO connection until well after the upgrade.

    The first of them may come before the client has joined its room. From the first that it
    received, it must have all, once each and in order.
    """
    token, room = rails.sign_in()
    upgraded = threading.Event()
    published = []

    def publish():
        for number in itertools.count():
            published.append(rails.publish_records(room, str(number)))
            if upgraded.is_set() and number >= 200:
                return

    with NodeClient(package, server_url, token=token) as client:
        client.wait_for("open")
        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            client.wait_for("upgrade")
        finally:
            upgraded.set()
            publisher.join()
        while client.data_of("records")[-1:] != published[-1:]:
            client.wait_for("records")

    received = client.data_of("records")
    assert len(received) > 100
    assert received == published[-len(received) :]


@pytest.fixture(scope="module")
def mortal_server(redis_server):
    """A server to kill. Call it to start it, again and again on the same port."""
    env = {"REDIS_URL": redis_server.url, "PORT": str(free_port())}
    lives = []

    def start():
        lives.append(start_channel_server(env))
        return lives[-1]

    yield start
    for life in lives:
        stop(life.process, signal.SIGKILL)


@pytest.mark.slow
def test_a_client_comes_back_after_the_server_was_killed(package, mortal_server, rails):
    """Loomio never connects again by itself: the stock client must do it, and be in its rooms."""
    token, room = rails.sign_in()
    first = mortal_server()

    with NodeClient(package, first.url, token=token) as client:
        client.wait_for("connect")
        before = rails.publish_records(room, "before")
        client.wait_for("records")
        stop(first.process, signal.SIGKILL)
        lost = client.wait_for("disconnect")
        second = mortal_server()
        client.wait_for("connect", within_s=20)
        after = rails.publish_records(room, "after")
        client.wait_for("records")
        stop(second.process, signal.SIGKILL)

    assert lost["reason"] in {"transport close", "transport error"}
    assert client.data_of("records") == [before, after]


# ── recovery ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=RECOVERING_CLIENTS)
def recovering(request):
    return request.param


@pytest.mark.parametrize("options", [POLLING, WEBSOCKET, {}], ids=["polling", "websocket", "both"])
def test_a_client_that_was_cut_off_recovers_what_it_missed(recovering, server_url, rails, options):
    """Before it has received anything, and after; again and again."""
    token, room = rails.sign_in()
    with NodeClient(recovering, server_url, token=token, **options) as client:
        assert not client.wait_for("connect")["recovered"]
        for number in range(3):
            client.cut()
            client.wait_for("disconnect")
            missed = rails.publish_records(room, number)
            assert client.wait_for("connect")["recovered"]
            assert client.wait_for("records")["data"] == missed
            live = rails.publish_records(room, f"live {number}")
            assert client.wait_for("records")["data"] == live

    assert len(client.data_of("records")) == 6


def test_a_client_recovers_after_a_kill(recovering, redis_server, rails):
    """The server that comes back knows nothing of the one that was there; the journal does."""
    token, room = rails.sign_in()
    user_id = int(room.removeprefix("user-"))
    settings = {"REDIS_URL": redis_server.url, "PORT": str(free_port()), "PLAIN_PUBLISHERS": "0"}
    first = start_channel_server(settings)
    with (
        NodeClient(recovering, first.url, token=token, **WEBSOCKET) as client,
        Publisher.from_url(redis_server.url) as publisher,
    ):
        client.wait_for("connect")
        stop(first.process, signal.SIGKILL)
        client.wait_for("disconnect")
        publisher.publish_records({"comments": [{"id": 1}]}, user_id=user_id)

        second = start_channel_server(settings)
        try:
            assert client.wait_for("connect", within_s=15)["recovered"]
            assert client.wait_for("records")["data"]["room"] == room
        finally:
            stop(second.process)


def test_a_client_of_before_recovery_simply_connects(server_url, rails):
    """It takes the offset for an argument that nobody asked for, as with the Node program."""
    token, room = rails.sign_in()
    with NodeClient("socket.io-client-4.5.4", server_url, token=token) as client:
        client.wait_for("connect")
        client.cut()
        client.wait_for("disconnect")
        client.wait_for("connect")
        message = rails.publish_records(room, "hi")

        assert client.wait_for("records")["data"] == message


def test_a_visitor_recovers_notices(recovering, server_url, rails):
    with NodeClient(recovering, server_url, token=None) as client:
        client.wait_for("connect")
        client.cut()
        client.wait_for("disconnect")
        notice = rails.publish_notice("missed")

        assert client.wait_for("connect")["recovered"]
        assert client.wait_for("notice")["data"] == notice


def test_who_is_hung_up_by_an_order_returns_by_itself(recovering, server_url, redis_server, rails):
    """A DISCONNECT packet would keep the stock client away for good."""
    token, room = rails.sign_in()
    user_id = int(room.removeprefix("user-"))
    with (
        NodeClient(recovering, server_url, token=token) as client,
        Publisher.from_url(redis_server.url) as publisher,
    ):
        client.wait_for("connect")
        publisher.disconnect_user(user_id)

        client.wait_for("disconnect")
        assert client.wait_for("connect")["recovered"]
