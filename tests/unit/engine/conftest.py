"""An engine without a network: its sessions and its handlers are real, its sockets are not."""

import asyncio
import contextlib

import pytest
import pytest_asyncio

from channel_server.engine.options import Options
from channel_server.engine.server import Engine
from channel_server.engine.session import Session
from tests.unit.engine.doubles import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def engine():
    return Engine(options=Options())


@pytest.fixture
def open_polling(engine):
    """Open a polling session of the engine."""

    def make(sid="s1", query="EIO=4&transport=polling"):
        session = Session(engine, sid, query)
        session.open_polling()
        engine.opened(session)
        return session

    return make


class Handlers:
    """What python-socketio would be told, in order."""

    def __init__(self, engine):
        self.heard = []
        self.disconnected = asyncio.Event()
        engine.on("message", self.message)
        engine.on("disconnect", self.disconnect)

    async def message(self, sid, data):
        self.heard.append((sid, data))

    async def disconnect(self, sid, reason):
        self.heard.append((sid, reason))
        self.disconnected.set()


@pytest_asyncio.fixture
async def run():
    """Run engines until the end of the test: ``handlers = run(engine)``."""
    tasks = []

    def start(engine):
        handlers = Handlers(engine)
        tasks.append(asyncio.get_running_loop().create_task(engine.run()))
        return handlers

    yield start
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest_asyncio.fixture
async def handlers(engine, run):
    """The handlers of the engine, which runs."""
    started = run(engine)
    await asyncio.sleep(0)
    return started
