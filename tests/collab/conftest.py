"""An application, our server and the reference."""

import pytest

from tests.collab.servers import Application, Ours, Reference


@pytest.fixture(scope="session")
def application():
    """Lets everybody in whose token is good."""
    with Application() as application:
        yield application


@pytest.fixture(scope="session")
def ours(application, tmp_path_factory):
    with Ours(tmp_path_factory.mktemp("collab"), application) as ours:
        yield ours


@pytest.fixture(scope="session")
def reference(application):
    with Reference(application) as reference:
        yield reference
