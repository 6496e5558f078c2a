"""Servers that operators look at."""

import pytest

from tests.internal.site import KEY, Server


@pytest.fixture(scope="module")
def server(redis_server, tmp_path_factory):
    """A server with a key, shared by the tests of a module."""
    folder = tmp_path_factory.mktemp("server")
    with Server(folder, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as running:
        yield running.wait_ready()
