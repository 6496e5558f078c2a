"""A Redis, a homeserver and an application for each test."""

import pytest
import pytest_asyncio

from publisher import Publisher
from tests.matrix.homeserver import homeserver


@pytest.fixture
def redis(new_redis_server):
    """A Redis of its own: bots hear every message, and so would those of another test."""
    return new_redis_server()


@pytest.fixture
def publisher(redis):
    with Publisher.from_url(redis.url) as publisher:
        yield publisher


@pytest_asyncio.fixture
async def fake():
    async with homeserver() as fake:
        yield fake
