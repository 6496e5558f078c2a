"""``rediss://`` through a real TLS terminator, with certificates made for the test."""

import contextlib
import datetime as dt
import http
import socket
import ssl
import threading

import pytest
import trustme

from publisher import Publisher
from tests.faults.link import Link
from tests.integration.pages import pages_of
from tests.integration.program import Program, run, until

pytestmark = [pytest.mark.redis]


class Authority:
    """Vouches for certificates. Its own one, and those it makes, are files.

    Args:
        folder: Gets the files.
    """

    def __init__(self, folder):
        self._ca = trustme.CA()
        self._folder = folder
        self.path = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.path)

    def context(self, name="localhost", **options):
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(name, **options).configure_cert(context)
        return context

    def demand(self, context):
        """Let only those in who have a certificate of this authority."""
        context.verify_mode = ssl.CERT_REQUIRED
        self._ca.configure_trust(context)

    def client_options(self):
        """A certificate for a client, as options of a URL."""
        certificate = self._ca.issue_cert("client")
        certificate.private_key_pem.write_to_path(self._folder / "key.pem")
        certificate.cert_chain_pems[0].write_to_path(self._folder / "certificate.pem")
        return f"ssl_certfile={self._folder}/certificate.pem&ssl_keyfile={self._folder}/key.pem"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An authority that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture
def terminator(redis_server, authority):
    """TLS in front of the Redis of the session."""
    with Link(redis_server.socket, tls=authority.context()) as link:
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
async def test_records_arrive_through_tls(terminator, authority, site, tmp_path, query):
    query = query.replace("CERTIFICATE", str(authority.path))
    url = f"rediss://localhost:{terminator.port}/0?{query}"
    with Program(tmp_path, REDIS_URL=url) as server:
        server.wait_ready()

        await check_delivery(server, site)


@pytest.mark.asyncio
async def test_a_broken_tls_connection_is_replaced(terminator, authority, site, tmp_path):
    url = f"rediss://localhost:{terminator.port}?ssl_ca_certs={authority.path}"
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
def test_every_new_publisher_can_publish(new_redis_server, authority, version, password):
    """A server of TLS 1.3 sends tickets first: 2 to 4 of 60 failed with "Connection not ready"."""
    redis = new_redis_server(*(["--requirepass", password] if password else []), password=password)
    context = authority.context()
    context.minimum_version = context.maximum_version = version
    with Link(redis.socket, tls=context) as terminator, redis.listen("/records") as listener:
        url = f"rediss://:{password}@localhost:{terminator.port}?ssl_ca_certs={authority.path}"
        for _ in range(60):
            with Publisher.from_url(url.replace(":@", "")) as publisher:
                for _ in range(2):
                    assert publisher.publish_records({"events": [{"id": 1}]}, group_id=7) == 1

        assert len(listener.heard()) == 120


# ── mistakes ────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def strict_server(tls):
    """Demands a certificate, and sends the alert if there is none: asyncio's servers do not."""

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                tls.wrap_socket(connection, server_side=True)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
MISTAKES = {
    "no such file": ({}, "ssl_ca_certs=/none.pem", "ssl_ca_certs: No such file", "correct this"),
    "no certificate": ({}, "ssl_ca_certs=/dev/null", "ssl_ca_certs: ", "correct this"),
    "not trusted": ({}, "", "unable to get local issuer certificate", "ssl_ca_certs"),
    "another name": ({"name": "a.example"}, "ssl_ca_certs={ca}", "mismatch", "ssl_check_hostname"),
    "expired": (
        {"not_before": YESTERDAY, "not_after": YESTERDAY + dt.timedelta(hours=1)},
        "ssl_ca_certs={ca}",
        "certificate has expired",
        "a new certificate",
    ),
    "no TLS there": (None, "ssl_ca_certs={ca}", "TLS", "redis:// instead of rediss://"),
}


def check_complaint(port, query, words, remedy):
    done = run("doctor", REDIS_URL=f"rediss://:secret@localhost:{port}/0?{query}")

    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("✗ Redis"))
    assert words in lines[place]
    assert remedy in lines[place + 1]
    assert "secret" not in done.stdout


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named_with_its_remedy(redis_server, authority, mistake):
    """A missing file was "no such socket", a wrong name "add ssl_ca_certs", a plain port "firewall"."""
    options, query, words, remedy = MISTAKES[mistake]
    tls = None if options is None else authority.context(**options)
    with Link(redis_server.socket, tls=tls) as link:
        check_complaint(link.port, query.format(ca=authority.path), words, remedy)


@pytest.mark.parametrize(
    ("has_certificate", "words", "remedy"),
    [
        (False, "CERTIFICATE_REQUIRED", "ssl_certfile=...&ssl_keyfile="),
        (True, "UNKNOWN_CA", "who vouches for ssl_certfile"),
    ],
    ids=["none", "not trusted"],
)
def test_a_certificate_of_ours_that_is_missing_is_named(
    authority, stranger, has_certificate, words, remedy
):
    """It was "no TLS there"."""
    tls = authority.context()
    authority.demand(tls)
    options = f"&{stranger.client_options()}" if has_certificate else ""
    with strict_server(tls) as port:
        check_complaint(port, f"ssl_ca_certs={authority.path}{options}", words, remedy)


@pytest.mark.parametrize("option", ["ssl_ca_certs={ca}", "ssl_cert_reqs=none", ""])
def test_what_tls_needs_may_stand_in_the_url_or_in_ssl_cert_file(redis_server, authority, option):
    tls = authority.context()
    authority.demand(tls)
    env = {} if option else {"SSL_CERT_FILE": str(authority.path)}
    with Link(redis_server.socket, tls=tls) as link:
        query = f"{option.format(ca=authority.path)}&{authority.client_options()}"
        done = run("doctor", REDIS_URL=f"rediss://localhost:{link.port}/0?{query}", **env)

    assert "✓ Redis" in done.stdout


def test_the_name_need_not_be_checked(redis_server, authority):
    with Link(redis_server.socket, tls=authority.context("a.example")) as link:
        query = f"ssl_ca_certs={authority.path}&ssl_check_hostname=false"
        done = run("doctor", REDIS_URL=f"rediss://localhost:{link.port}/0?{query}")

    assert "✓ Redis" in done.stdout
