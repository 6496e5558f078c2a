"""A clock that passes only when told to, and what a node has in memory."""

import pytest

from channel_server.core.journal import Tail
from channel_server.core.rooms import Rooms
from tests.unit.engine.doubles import Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tail():
    tail = Tail(window_s=60, max_entries=100, max_bytes=1 << 20)
    tail.begin("e1", 0)
    return tail


@pytest.fixture
def rooms():
    return Rooms()
