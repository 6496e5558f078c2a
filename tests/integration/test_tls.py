"""``rediss://`` through a real TLS terminator, with a certificate made for the test."""

import http
import shutil
import ssl
import subprocess

import pytest

from publisher import Publisher
from tests.faults.link import Link
from tests.integration.pages import pages_of
from tests.integration.program import Program, until
from tests.servers import missing

if shutil.which("openssl") is None:
    missing("openssl makes the certificates: apt-get install openssl", whole_module=True)

pytestmark = [pytest.mark.redis]


class Certificate:
    """A self-signed certificate for localhost.

    Args:
        folder: Gets the two files.
    """

    def __init__(self, folder):
        self.path = folder / "certificate.pem"
        self._key = folder / "key.pem"
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
        command += ["-keyout", self._key, "-out", self.path, "-subj", "/CN=localhost"]
        command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        subprocess.run(command, check=True, capture_output=True)

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, self._key)
        return context


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def terminator(redis_server, certificate):
    """TLS in front of the Redis of the session."""
    with Link(redis_server.socket, tls=certificate.context()) as link:
        yield link


async def check_delivery(server, site):
    """A user signs in, and gets a record that no single read of the socket holds."""
    account = site.sign_in()
    async with pages_of(server.port) as pages:
        page = await pages.enter(account.token)
        packets = [site.publish(account.room, "x" * 300_000), site.publish(account.room)]
        assert await page.got(2) == packets


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "query", ["ssl_ca_certs=CERTIFICATE", "ssl_cert_reqs=none"], ids=["checked", "not checked"]
)
async def test_records_arrive_through_tls(terminator, certificate, site, tmp_path, query):
    query = query.replace("CERTIFICATE", str(certificate.path))
    url = f"rediss://localhost:{terminator.port}/0?{query}"
    with Program(tmp_path, REDIS_URL=url) as server:
        server.wait_ready()

        await check_delivery(server, site)


@pytest.mark.asyncio
async def test_a_broken_tls_connection_is_replaced(terminator, certificate, site, tmp_path):
    url = f"rediss://localhost:{terminator.port}?ssl_ca_certs={certificate.path}"
    with Program(tmp_path, REDIS_URL=url) as server:
        server.wait_ready()

        terminator.cut()
        await until(lambda: len(server.lines("Redis lost")) == 3, "all connections are lost")
        await until(server.is_ready, "the server is ready")

        await check_delivery(server, site)
        assert "Traceback" not in server.output()


@pytest.mark.asyncio
async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(terminator, tmp_path):
    """Who answers in Redis' place would learn the password."""
    with Program(tmp_path, REDIS_URL=f"rediss://localhost:{terminator.port}") as server:
        await until(lambda: len(server.lines("Redis away")) == 2, "it has tried")

        assert server.status("/ready") == http.HTTPStatus.SERVICE_UNAVAILABLE
        assert server.status("/live") == http.HTTPStatus.OK
        assert "Traceback" not in server.output()


VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
@pytest.mark.parametrize("password", ["", "secret"], ids=["open", "password"])
def test_every_new_publisher_can_publish(new_redis_server, certificate, version, password):
    """A server of TLS 1.3 sends tickets first: 2 to 4 of 60 failed with "Connection not ready"."""
    redis = new_redis_server(*(["--requirepass", password] if password else []), password=password)
    context = certificate.context()
    context.minimum_version = context.maximum_version = version
    with Link(redis.socket, tls=context) as terminator, redis.listen("/records") as listener:
        url = f"rediss://:{password}@localhost:{terminator.port}?ssl_ca_certs={certificate.path}"
        for _ in range(60):
            with Publisher.from_url(url.replace(":@", "")) as publisher:
                for _ in range(2):
                    assert publisher.publish_records({"events": [{"id": 1}]}, group_id=7) == 1

        assert len(listener.heard()) == 120
