"""python-socketio's own client, which Python programs and ``channel-server tail`` use."""

import asyncio

import pytest
import pytest_asyncio
import socketio

from tests.integration.pages import WAITS_MS

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

TRANSPORTS = pytest.mark.parametrize(
    "transports",
    [["polling"], ["websocket"], ["polling", "websocket"]],
    ids=["polling", "websocket", "upgrade"],
)


class Listener:
    """A client that keeps every event.

    Args:
        url: Base address of the server.
    """

    def __init__(self, url):
        self._url = url
        self._client = socketio.AsyncClient(handle_sigint=False, reconnection_delay=0.05)
        self._events = asyncio.Queue()
        self._client.on("*", self._keep)

    async def connect(self, token, transports):
        url = f"{self._url}/?channel_token={token or 'null'}"
        await self._client.connect(url, transports=transports, wait_timeout=10)

    @property
    def transport(self):
        return self._client.transport()

    async def next(self):
        """Name and argument of the next event."""
        async with asyncio.timeout(WAITS_MS / 1000):
            return await self._events.get()

    async def close(self):
        await self._client.disconnect()
        await self._client.shutdown()

    async def _keep(self, event, *arguments):
        if event != "offset":
            body, _offset = arguments
            await self._events.put((event, body))


@pytest_asyncio.fixture
async def listener(server):
    listener = Listener(server.url)
    yield listener
    await listener.close()


def records(room, body):
    return ("records", {"room": room, "records": {"comments": [{"id": 1, "body": body}]}})


@TRANSPORTS
async def test_records_of_the_user_and_the_groups_arrive(listener, site, transports):
    account = site.sign_in(7, 9)
    await listener.connect(account.token, transports)

    for room in (account.room, "group-7", "group-8", "group-9"):
        site.publish(room, f"to {room} 👩‍👩‍👧‍👦")

    assert listener.transport == transports[-1]
    for room in (account.room, "group-7", "group-9"):
        assert await listener.next() == records(room, f"to {room} 👩‍👩‍👧‍👦")


@TRANSPORTS
async def test_a_visitor_hears_notices_only(listener, site, transports):
    await listener.connect(None, transports)

    site.publish("group-7")
    site.publish_notice("Back soon")

    event, body = await listener.next()
    assert event == "notice"
    assert body["notice"] == "Back soon"


async def test_nothing_is_lost_or_doubled_during_the_upgrade(listener, site):
    """Its upgrade is another one than the JavaScript client's, written by other people."""
    account = site.sign_in()
    await listener.connect(account.token, ["polling", "websocket"])

    for number in range(300):
        site.publish(account.room, number)

    assert [await listener.next() for _ in range(300)] == [
        records(account.room, number) for number in range(300)
    ]
