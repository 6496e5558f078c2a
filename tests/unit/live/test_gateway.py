"""Who may hear what: a client's token is looked up, then it joins its rooms."""

import asyncio
from collections import Counter

import pytest

from channel_server.core.journal import Tail
from channel_server.core.rooms import Rooms
from channel_server.core.users import Identity
from channel_server.engine.options import Options
from channel_server.errors import MalformedPacket, RedisLost
from channel_server.live.gateway import Gateway
from channel_server.live.latecomers import Latecomers
from channel_server.live.lookups import LookUps
from channel_server.live.recovery import Recovery
from channel_server.live.replays import Replays
from channel_server.metrics import Metrics
from tests.unit.engine.doubles import Line
from tests.unit.live.clients import Client

pytestmark = pytest.mark.asyncio

ANN = Identity("5", ("3", "1"))


class Directory:
    """Knows Ann, and can be away."""

    def __init__(self):
        self.asked = []
        self.is_away = False
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def find(self, token):
        self.asked.append(token)
        await self.may_answer.wait()
        if self.is_away:
            raise RedisLost("away")
        return ANN if token == "ann-token" else None


class Whole:
    """A journal in which nothing is missing, and no other node ahead."""

    def __init__(self):
        self.whole = asyncio.Event()
        self.whole.set()
        self.is_doubtful = False
        self.secret = b"secret"

    async def reach(self, offset):
        raise AssertionError(offset)


@pytest.fixture
def users():
    return Directory()


@pytest.fixture
def rooms():
    return Rooms()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def gateway(users, rooms, metrics):
    tail = Tail(window_s=60, max_entries=10, max_bytes=10_000)
    replays = Replays(tail, rooms, metrics=metrics)
    journal = Whole()
    return Gateway(
        Options(),
        look_ups=LookUps(users),
        rooms=rooms,
        recovery=Recovery(
            tail,
            replays,
            journal=journal,
            latecomers=Latecomers(journal.whole),
            metrics=metrics,
        ),
        departing=lambda _: None,
        metrics=metrics,
    )


def client_with(gateway, token, sid="e1"):
    return Client(gateway, sid, f"channel_token={token}&EIO=4&transport=polling")


async def test_user_joins_their_rooms(gateway, rooms, metrics):
    client = client_with(gateway, "ann-token")

    answer = await client.connect()

    assert answer.startswith('0{"sid":')
    assert rooms.rooms(client.session) == ("notice", "user-5", "group-3", "group-1")
    assert metrics == Metrics(connects=1, lookups=Counter(user=1))
    assert metrics.lookup_times.count == 1


@pytest.mark.parametrize("token", ["unknown", "logged-out"])
async def test_unknown_token_is_a_visitor(gateway, rooms, metrics, token):
    """Contract, section 2: never refused, visitors need notices too."""
    client = client_with(gateway, token)

    await client.connect()

    assert rooms.rooms(client.session) == ("notice",)
    assert metrics == Metrics(connects=1, anonymous=1, lookups=metrics.lookups)
    assert metrics.lookups["user"] == 0


@pytest.mark.parametrize(
    "query",
    [
        "EIO=4",
        "",
        "channel_token=",
        "channel_token=null",
        "channel_token=undefined",
        "channel_token=" + "x" * 10_240,
        "channel_token=a%0d%0aDEL%20b",
        "channel_token=%00",
        "channel_token=ann-token&channel_token=",
    ],
)
async def test_what_cannot_be_a_token_is_a_visitor_without_asking(gateway, users, rooms, query):
    client = Client(gateway, query=query)

    await client.connect()

    assert users.asked == []
    assert rooms.rooms(client.session) == ("notice",)


async def test_token_is_decoded_once(gateway, users):
    await Client(gateway, query="channel_token=a%2Db%2520").connect()

    assert users.asked == ["a-b%20"]


async def test_client_waits_while_redis_cannot_answer(gateway, users, rooms):
    """It must not become anonymous, and must not be told that it is connected."""
    client = client_with(gateway, "ann-token")
    users.may_answer.clear()
    connecting = asyncio.get_running_loop().create_task(client.send("0"))
    await asyncio.sleep(0)
    assert client.received() == []
    assert rooms.rooms(client.session) == ()

    users.may_answer.set()
    await connecting

    assert len(client.received()) == 1
    assert "user-5" in rooms.rooms(client.session)


async def test_client_is_sent_away_to_return_when_the_look_up_fails(
    gateway, users, rooms, metrics
):
    """The transport is closed; a DISCONNECT packet would keep it away for good."""
    users.is_away = True
    client = client_with(gateway, "ann-token")

    await client.send("0")

    assert not client.is_open
    assert rooms.rooms(client.session) == ()
    assert metrics == Metrics(lookups=Counter(failed=1))
    assert gateway.engine.hang_ups == {"look-up failed": 1}


async def test_client_that_leaves_during_its_look_up_joins_nothing(gateway, users, rooms, metrics):
    client = client_with(gateway, "ann-token")
    users.may_answer.clear()
    connecting = asyncio.get_running_loop().create_task(client.send("0"))
    await asyncio.sleep(0)
    client.session.close("transport close")

    users.may_answer.set()
    await connecting

    assert len(rooms) == 0
    assert metrics == Metrics(lookups=Counter(user=1))


async def test_member_is_in_its_rooms_before_anything_else_can_happen(gateway, rooms):
    """What is published after CONNECT was answered must not pass it by."""
    client = client_with(gateway, "ann-token")
    after_the_answer = []

    class Watching(Line):
        def reply(self, response):
            asyncio.get_running_loop().call_soon(
                lambda: after_the_answer.append(rooms.rooms(client.session))
            )
            super().reply(response)

    client.session.polling.poll(Watching())

    await client.send("0")
    await asyncio.sleep(0)

    assert after_the_answer == [("notice", "user-5", "group-3", "group-1")]


async def test_departed_client_leaves_its_rooms(gateway, rooms):
    client = client_with(gateway, "ann-token")
    await client.connect()

    gateway.engine.departed(client.session)

    assert len(rooms) == 0


async def test_gateway_serves_the_main_namespace_only_and_no_binary(gateway, rooms):
    client = client_with(gateway, "ann-token")

    assert await client.connect("0/records,") == '4/records,{"message":"Invalid namespace"}'
    assert len(rooms) == 0
    await client.connect()
    with pytest.raises(MalformedPacket):
        await client.send('51-["a",{"_placeholder":true,"num":0}]')


async def test_token_is_never_logged(gateway, users, caplog):
    caplog.set_level("DEBUG")
    users.is_away = True
    await client_with(gateway, "ann-token").send("0")
    users.is_away = False
    await client_with(gateway, "ann-token", "e2").connect()

    assert "ann-token" not in caplog.text
