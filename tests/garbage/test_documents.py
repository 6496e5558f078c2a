"""What a client of the server for documents leaves behind."""

import itertools

import pytest

from channel_server.collab.lib0 import string
from channel_server.collab.messages import Kind
from tests.collab.client import heard, join, text, token, update
from tests.conformance import wire
from tests.conformance.wire import WebSocket, frame
from tests.garbage.crowd import garbage_of, is_little
from tests.garbage.moves import reset, until_closed

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

NUMBERS = itertools.count()


def beginning(size, data):
    """Of a frame that says that it is larger; its mask is none."""
    return b"\x82\xff" + size.to_bytes(8) + bytes(4) + data


TOO_MUCH = beginning(101 << 20, b"x" * 1000)
"""More than is read past."""
PASTE = beginning(12 << 20, update("of all", bytes(70 << 10)))
"""More than a document may have."""


class Provider:
    """A client on raw frames, as ``tests.collab.client`` speaks to it."""

    def __init__(self, websocket):
        self.websocket = websocket

    async def send(self, data):
        await self.websocket.link.send(frame(wire.BINARY, data))

    async def recv(self):
        return await self.websocket.packet()


async def opened(client):
    answer, link = await client.upgrade("")
    assert answer.status == 101
    return Provider(WebSocket(link))


async def at_a_document(client, name):
    provider = await opened(client)
    await join(provider, name)
    return provider


async def closes_cleanly(client):
    provider = await at_a_document(client, "of all")
    await provider.websocket.link.send(frame(wire.CLOSE, b"\x03\xe8"))
    await until_closed(provider.websocket)


async def is_reset(client):
    reset((await at_a_document(client, "of all")).websocket.link)


async def writes_and_leaves(client):
    name = f"of one {next(NUMBERS)}"
    provider = await at_a_document(client, name)
    await provider.send(update(name, text("hello")))
    await heard(provider, Kind.SYNC_STATUS)
    reset(provider.websocket.link)


async def may_not(client):
    provider = await opened(client)
    await provider.send(token("of others", "1,bad"))
    await heard(provider, Kind.AUTH)
    reset(provider.websocket.link)


async def says_nonsense(client):
    provider = await opened(client)
    await provider.send(b"\xff" * 10)
    await until_closed(provider.websocket)


async def says_nonsense_at_a_document(client):
    provider = await at_a_document(client, "of all")
    await provider.send(string("of all") + bytes([Kind.SYNC, 9]))
    await heard(provider, Kind.CLOSE)
    reset(provider.websocket.link)


async def sends_too_much(client):
    provider = await at_a_document(client, "of all")
    await provider.websocket.link.send(TOO_MUCH)
    await until_closed(provider.websocket)


async def pastes_and_is_reset(client):
    provider = await at_a_document(client, "of all")
    await provider.websocket.link.send(PASTE)
    await heard(provider, Kind.CLOSE)
    reset(provider.websocket.link)


@pytest.mark.parametrize(
    "way",
    [
        closes_cleanly,
        is_reset,
        writes_and_leaves,
        may_not,
        says_nonsense,
        says_nonsense_at_a_document,
        sends_too_much,
        pastes_and_is_reset,
    ],
    ids=lambda way: way.__name__,
)
async def test_a_client_leaves_nothing_behind(collab, way):
    garbage = await garbage_of(collab, way)

    assert is_little(garbage), garbage


async def test_a_client_that_leaves_while_it_is_asked_about_leaves_nothing_of_ours(collab):
    async def leaves_at_once(client):
        provider = await opened(client)
        await provider.send(token("of all"))
        reset(provider.websocket.link)

    garbage = await garbage_of(collab, leaves_at_once)

    # aiohttp's client leaves a circle when an answer comes just as its question is given up.
    assert not [name for name in garbage if name.startswith(("channel_server", "websockets"))]
