"""Pages, and the site that publishes to them, for tests of a whole running server."""

import pytest
import pytest_asyncio

from publisher import AsyncPublisher, Publisher
from tests.integration.pages import TRANSPORTS, pages_of
from tests.integration.program import Program
from tests.integration.site import Site


@pytest.fixture(scope="module")
def site(redis_server):
    """Publishes to the Redis of the session."""
    with redis_server.client() as connection:
        yield Site(connection)


@pytest.fixture(scope="module")
def server(redis_server, tmp_path_factory):
    """One server for all tests of a module that leave it running."""
    with Program(tmp_path_factory.mktemp("server"), REDIS_URL=redis_server.url) as program:
        yield program.wait_ready()


@pytest_asyncio.fixture
async def pages(server):
    """Opens pages of ``server``."""
    async with pages_of(server.port) as pages:
        yield pages


@pytest.fixture(params=[Publisher, AsyncPublisher], ids=["blocking", "asyncio"])
def kind(request):
    """Each kind of publisher in turn."""
    return request.param


@pytest.fixture(params=TRANSPORTS)
def transport(request):
    """Each transport in turn."""
    return request.param
