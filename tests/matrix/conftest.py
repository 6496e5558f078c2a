"""A Redis, a homeserver and an application for each test."""

import pytest
import pytest_asyncio

from publisher import Publisher
from tests.matrix.homeserver import homeserver
from tests.matrix.relay import Relay


@pytest.fixture
def redis(new_redis_server):
    """A Redis of its own: bots hear every message, and so would those of another test."""
    return new_redis_server()


@pytest.fixture
def publisher(redis):
    with Publisher.from_url(redis.url) as publisher:
        yield publisher


@pytest.fixture
def relay(redis, tmp_path):
    """The bots alone, listening to that Redis."""
    with Relay(tmp_path, redis) as relay:
        yield relay


@pytest_asyncio.fixture
async def fake():
    async with homeserver() as fake:
        yield fake
