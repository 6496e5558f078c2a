"""How long clients may be silent, with a server in this process whose patience is short."""

import asyncio
import base64
import os

import pytest
import pytest_asyncio
from aiohttp import web
from websockets.exceptions import ConnectionClosed
from yarl import URL

from channel_server.adapters.sqlite_documents import SqliteDocuments
from channel_server.collab.access import Access
from channel_server.collab.messages import Kind
from channel_server.collab.options import Options
from channel_server.collab.server import House
from channel_server.core.frames import payload_of
from channel_server.engine.listener import listening
from channel_server.engine.options import Options as EngineOptions
from channel_server.metrics import Metrics
from tests.collab.client import connected, heard, join, token

pytestmark = pytest.mark.asyncio

SILENCE_S = 0.6


@pytest_asyncio.fixture
async def house(application):
    store = SqliteDocuments("")
    await store.open()
    engine_options = EngineOptions(ping_interval_s=SILENCE_S, ping_timeout_s=SILENCE_S)
    options = Options(stranger_s=SILENCE_S)
    async with Access(URL(application.url) / "api/hocuspocus") as access:
        house = House(engine_options, options, access=access, store=store, metrics=Metrics())
        house.is_ready = True
        async with asyncio.TaskGroup() as group:
            running = group.create_task(house.run())
            async with listening(house, web.Application(), 0) as port:
                house.url = f"ws://127.0.0.1:{port}"
                yield house
            await house.documents.flush()
            running.cancel()
    await store.close()


async def test_client_that_opens_nothing_is_hung_up(house):
    """Being refused is no reason to stay; being let in is."""
    async with connected(house.url) as ann, connected(house.url) as ben:
        await join(ben, "stays")
        await ann.send(token("d", "1,bad"))
        with pytest.raises(ConnectionClosed):
            await heard(ann, Kind.SYNC)
        await join(ben, "still")

    assert house.hang_ups == {"connect timeout": 1}


class Dead:
    """A client that is gone without a word: it reads, and answers no ping."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, url):
        address = URL(url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        return cls(reader, writer)

    def say(self, message):
        self.writer.write(bytes([0x82, 0x80 | len(message), 0, 0, 0, 0]) + message)

    async def frame(self):
        head = await self.reader.readexactly(2)
        return head + await self.reader.readexactly(head[1])


async def test_client_that_answers_no_ping_leaves_its_documents(house):
    dead = await Dead.connect(house.url)
    async with connected(house.url) as ben:
        await join(ben, "d")
        dead.say(token("d"))
        dead.say(b"\x01d\x01\x06\x01\x07\x01\x02{}")
        await heard(ben, Kind.AWARENESS)

        frames = []
        while not frames or frames[-1][0] != 0x88:
            frames.append(await dead.frame())
        gone = await heard(ben, Kind.AWARENESS)

    assert b"\x89\x00" in frames
    assert payload_of(frames[-2]) == b"\x01d\x07\x12Connection Timeout"
    assert int.from_bytes(payload_of(frames[-1])[:2], "big") == 4408
    assert gone.buffer() == b"\x01\x07\x01\x04null"
    assert house.hang_ups == {"ping timeout": 1}
    dead.writer.close()


async def test_house_that_is_not_ready_sends_clients_away(house):
    house.is_ready = False
    with pytest.raises(Exception, match="503"):
        async with connected(house.url):
            pass
