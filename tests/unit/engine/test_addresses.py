"""Sessions and requests per client address, and whom we believe about it."""

from ipaddress import ip_network

import pytest

from channel_server.engine.addresses import Addresses
from channel_server.engine.options import Options
from tests.unit.engine.doubles import Clock

PROXY = "10.0.0.1"
CLIENT = "198.51.100.7"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def addresses(clock):
    options = Options(trusted_proxies=TRUSTED, max_per_address=2, max_requests_per_address=2)
    return Addresses(options, clock)


def test_nothing_is_counted_without_trusted_proxies():
    assert not Addresses(Options(), Clock()).are_counted


def test_addresses_are_counted_behind_trusted_proxies(addresses):
    assert addresses.are_counted


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        pytest.param(PROXY, CLIENT, CLIENT, id="one proxy"),
        pytest.param(PROXY, f"{CLIENT}, 10.0.0.2", CLIENT, id="two proxies"),
        pytest.param(PROXY, f"{CLIENT},10.0.0.2 , 10.0.0.3", CLIENT, id="uneven blanks"),
        pytest.param("fd00::1", CLIENT, CLIENT, id="IPv6 proxy"),
        pytest.param("::ffff:10.0.0.1", CLIENT, CLIENT, id="IPv4 proxy on an IPv6 socket"),
        pytest.param(PROXY, f"192.0.2.9, {CLIENT}", CLIENT, id="what a client claims"),
        pytest.param(PROXY, f"10.0.0.9, {CLIENT}", CLIENT, id="a client that claims our proxy"),
        pytest.param(CLIENT, "192.0.2.9", CLIENT, id="a stranger that calls itself a proxy"),
        pytest.param(CLIENT, "", CLIENT, id="no proxy"),
        pytest.param(PROXY, "10.0.0.2", "10.0.0.2", id="one of our own machines"),
        pytest.param(PROXY, "unknown", PROXY, id="no address"),
        pytest.param(PROXY, f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2", id="no address between"),
        pytest.param(PROXY, f"{CLIENT}:40001", CLIENT, id="a port"),
        pytest.param(PROXY, f"{CLIENT}, 10.0.0.5:50001", CLIENT, id="a proxy with a port"),
        pytest.param(PROXY, "[2001:db8:1:2::1]:4000", "2001:db8:1:2::/64", id="IPv6 and a port"),
        pytest.param(PROXY, '"[2001:DB8:1:2::1]"', "2001:db8:1:2::/64", id="quoted IPv6"),
        pytest.param(PROXY, "2001:0db8:1:2:0:0:0:1", "2001:db8:1:2::/64", id="long IPv6"),
        pytest.param(PROXY, "2001:db8:1:2:ffff::", "2001:db8:1:2::/64", id="same /64"),
        pytest.param(PROXY, f"::ffff:{CLIENT}", CLIENT, id="mapped IPv4"),
        pytest.param(PROXY, f"[::ffff:{CLIENT}]:1", CLIENT, id="mapped IPv4 and a port"),
        pytest.param(PROXY, "fe80::1%eth0", "fe80::/64", id="a zone"),
        pytest.param(PROXY, f"{CLIENT}, [fd00::7]:443", CLIENT, id="IPv6 proxy with a port"),
        pytest.param("unix", CLIENT, CLIENT, id="a proxy on a Unix socket"),
        pytest.param("unix", f"{CLIENT}, 10.0.0.2", CLIENT, id="a proxy before one on a socket"),
        pytest.param("unix", "", "unix", id="nobody behind a Unix socket"),
    ],
)
def test_client_is_the_last_hop_that_is_not_ours(addresses, peer, forwarded, client):
    """What stands left of it was written by the client, or by nobody."""
    assert addresses.client(peer, forwarded) == client


def test_address_that_has_its_share_gets_no_more(addresses):
    assert addresses.enter(CLIENT)
    assert addresses.enter(CLIENT)

    assert not addresses.enter(CLIENT)
    assert addresses.enter("198.51.100.8")


def test_ended_session_makes_room(addresses):
    for _ in range(2):
        addresses.enter(CLIENT)

    addresses.leave(CLIENT)

    assert addresses.enter(CLIENT)
    assert not addresses.enter(CLIENT)


def test_nothing_is_kept_of_an_address_without_sessions(addresses):
    """Memory follows the present, not the past."""
    for _ in range(3):
        addresses.enter(CLIENT)
    for _ in range(2):
        addresses.leave(CLIENT)

    assert not addresses._sessions


def test_address_that_asks_too_often_is_refused_until_the_second_is_over(addresses, clock):
    assert [addresses.asks(CLIENT) for _ in range(3)] == [True, True, False]
    assert addresses.asks("198.51.100.8")

    clock.advance(1.0)

    assert addresses.asks(CLIENT)
    assert len(addresses._requests) == 1  # nothing is kept of the second before
