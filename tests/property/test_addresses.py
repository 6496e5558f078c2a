"""Client addresses: whatever a header says, nothing crashes and nothing is left behind."""

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st

from channel_server.engine.addresses import Addresses
from channel_server.engine.options import Options

hops = st.ip_addresses().map(str) | st.sampled_from(["10.0.0.1", "unknown", "", "::ffff:10.0.0.1"])
headers = st.lists(hops, max_size=4).map(", ".join) | st.text(max_size=20)


@given(st.lists(st.tuples(hops, headers), max_size=20), st.integers(1, 3))
def test_no_address_has_more_than_its_share_and_all_is_given_back(sessions, share):
    trusted = (ip_network("10.0.0.0/8"),)
    addresses = Addresses(Options(trusted_proxies=trusted, max_per_address=share), float)

    asked = [addresses.client(peer, forwarded) for peer, forwarded in sessions]
    inside = [address for address in asked if addresses.enter(address)]

    assert all(inside.count(address) <= share for address in inside)
    for address in inside:
        addresses.leave(address)
    assert not addresses._sessions
