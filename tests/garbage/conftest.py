"""Servers whose memory can be looked at, and an application that lets everybody in."""

import pytest

from tests.collab.servers import Application
from tests.conftest import running_redis
from tests.garbage.heap import Heap


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """One of their own: others count who is subscribed to the Redis of the session."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="session")
def live(redis_server):
    with Heap("live", REDIS_URL=redis_server.url) as heap:
        yield heap


@pytest.fixture(scope="session")
def short(redis_server):
    with Heap("short", REDIS_URL=redis_server.url) as heap:
        yield heap


@pytest.fixture(scope="session")
def collab():
    with (
        Application() as application,
        Heap("collab", PRIVATE_APP_URL=application.url, COLLAB_DEBOUNCE_SECONDS="0") as heap,
    ):
        yield heap
