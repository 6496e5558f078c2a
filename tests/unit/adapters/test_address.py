"""Redis URLs as redis-py reads them: ``parse_url`` and the context of ``SSLConnection``."""

import asyncio
import ssl

import pytest

from channel_server.adapters.address import Address
from channel_server.errors import RedisLost
from publisher.contract.redis_url import Kind


def address_of(url):
    return asyncio.run(Address.of(url))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://", ("", "localhost", 6379, None, "", "", 0)),
        ("redis://example.org:1/3", ("", "example.org", 1, None, "", "", 3)),
        ("redis://:a%20b@h", ("", "h", 6379, None, "", "a b", 0)),
        ("redis://ann:secret@h?db=2", ("", "h", 6379, None, "ann", "secret", 2)),
        ("redis://[::1]:7", ("", "::1", 7, None, "", "", 0)),
        ("unix:///a/b.sock", ("/a/b.sock", "localhost", 6379, None, "", "", 0)),
        (
            "unix:///b.sock?db=3&username=ann&password=secret",
            ("/b.sock", "localhost", 6379, None, "ann", "secret", 3),
        ),
    ],
)
def test_every_kind_of_url_is_read(url, address):
    assert address_of(url) == (Kind.DIRECT, *address)


def test_tls_is_checked_unless_the_url_says_otherwise():
    strict = address_of("rediss://h").tls
    lax = address_of("rediss://h?ssl_cert_reqs=none").tls

    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_NONE, False)


def test_a_missing_file_of_certificates_is_named():
    with pytest.raises(RedisLost, match="ssl_ca_certs: No such file"):
        address_of("rediss://h?ssl_ca_certs=/nothing.pem")
