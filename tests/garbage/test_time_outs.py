"""What a client leaves behind that we end ourselves: it is silent, too slow, or one too many."""

import asyncio
import json

import pytest

from publisher import AsyncPublisher
from tests.conformance.wire import Client, request
from tests.garbage.crowd import CLIENTS, garbage_of, is_little
from tests.garbage.heap import Heap
from tests.garbage.moves import entered, entered_by_polling, reset, stop_reading, until_closed

pytestmark = [pytest.mark.redis, pytest.mark.asyncio, pytest.mark.timeout(180)]

LARGE = {"comments": [{"id": 1, "body": "x" * 200_000}]}
SILENT = 200
"""Each is waited for: a quarter of them at a time, who must all have come within 2 s."""
PAUSE_S = 0.05
"""Between messages to all, of which a client takes five before its kernel is full."""


async def does_not_answer_pings(client):
    await until_closed(await entered(client))


async def does_not_poll(client):
    await entered_by_polling(client)


async def does_not_go_on_with_its_upgrade(client):
    session = await entered_by_polling(client)
    await until_closed(await client.probe(session))


async def never_connects(client):
    await until_closed(await client.opened())


async def says_nothing(client):
    link = await client.link()
    await link.ended()
    await link.close()


async def does_not_finish_its_body(client):
    session = await client.session()
    link = await client.link()
    await link.send(request("POST", f"{client.path}?{session.query}", b"40" * 50)[:-50])
    await link.ended()
    await link.close()


async def keeps_its_connection(client):
    link = await client.link()
    await link.send(request("GET", "/live"))
    assert (await link.response()).status == 200
    await link.ended()
    await link.close()


@pytest.mark.parametrize(
    "way",
    [
        does_not_answer_pings,
        does_not_poll,
        does_not_go_on_with_its_upgrade,
        never_connects,
        says_nothing,
        does_not_finish_its_body,
        keeps_its_connection,
    ],
    ids=lambda way: way.__name__,
)
async def test_a_silent_client_leaves_nothing_behind(short, way):
    garbage = await garbage_of(short, way, clients=SILENT, at_once=SILENT // 4)

    assert is_little(garbage, SILENT), garbage


async def is_gone(session):
    """Wait until a polling session has ended, without reading what waits for it."""
    while (await session.post("6")).status == 200:
        pass


async def is_hung_up(websocket):
    """Wait until the other end is gone, without reading what it has sent."""
    tcp = websocket.link._writer.transport
    while not tcp.is_closing():
        await websocket.send("3")
        await asyncio.sleep(0.01)


async def does_not_read(client):
    websocket = await entered(client)
    stop_reading(websocket.link)
    await is_hung_up(websocket)


async def does_not_fetch(client):
    session = await client.session()
    await session.post("40")
    await is_gone(session)


@pytest.mark.parametrize("way", [does_not_read, does_not_fetch], ids=lambda way: way.__name__)
async def test_a_slow_client_leaves_nothing_behind(live, redis_server, way):
    async def tell_everybody():
        while True:
            await publisher.publish_system_notice("x" * 1_000_000)
            await asyncio.sleep(PAUSE_S)

    before = live.measure()["hang_ups"].get("slow", 0)
    async with AsyncPublisher.from_url(redis_server.url) as publisher:
        telling = asyncio.create_task(tell_everybody())
        garbage = await garbage_of(live, way, at_once=100)
        telling.cancel()

    assert live.measure()["hang_ups"]["slow"] == before + CLIENTS
    assert is_little(garbage), garbage


async def test_a_client_that_is_cut_off_within_its_replay_leaves_nothing_behind(
    live, redis_server
):
    client = Client(live.port, "/socket.io/")
    first = await client.opened()
    await first.send("40")
    pid = json.loads((await first.packet())[2:])["pid"]
    await client.close()
    with redis_server.client() as redis:
        for _ in range(5):
            redis.publish("/system_notice", json.dumps(LARGE))

    async def is_reset_within_its_replay(client):
        websocket = await client.opened()
        await websocket.send("40" + json.dumps({"pid": pid}))
        assert (await websocket.packet()).startswith("40{")
        await websocket.link.exactly(1)
        reset(websocket.link)

    garbage = await garbage_of(live, is_reset_within_its_replay)

    assert is_little(garbage), garbage


async def test_one_client_too_many_leaves_nothing_behind(redis_server):
    async def is_refused(client):
        link = await client.link()
        await link.send(client.get("EIO=4&transport=polling"))
        assert await link.verdict() in {503, None}  # it is answered before it has asked

    with Heap("full", REDIS_URL=redis_server.url) as heap:
        garbage = await garbage_of(heap, is_refused)

    assert is_little(garbage), garbage
