"""Requests to servers that strangers have named: where they may go, and how much is read."""

import socket

import pytest
from aiohttp.abc import AbstractResolver

from channel_server.adapters.guarded_http import GuardedHttp
from channel_server.errors import AddressRefused, ServerUnreachable
from tests.matrix.homeserver import answering, hang

pytestmark = pytest.mark.asyncio


class Names(AbstractResolver):
    """A name service that says something else each time, as one does that is not to be trusted.

    Args:
        answers: Addresses of each look-up, the last ones again and again.
    """

    def __init__(self, *answers):
        self._answers = list(answers)
        self.asked = 0

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        del family  # whatever is asked for
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": socket.IPPROTO_TCP,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in answer
        ]

    async def close(self):
        pass


async def ask(url, *, allowed=(), names=None, timeout_s=5.0):
    async with GuardedHttp(frozenset(allowed), timeout_s=timeout_s, resolver=names) as http:
        return await http.request("GET", url, token="secret")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1",
        "169.254.169.254", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "64:ff9b:1::a00:1", "fec0::1",
        "::127.0.0.1", "::ffff:0:127.0.0.1", "3fff::1", "5f00::1", "192.0.0.8", "192.88.99.1",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_public(address):
    with pytest.raises(AddressRefused):
        await ask("http://evil.example", names=Names([address]))


async def test_the_address_counts_not_the_name(fake):
    """A name that has led to an allowed address a moment ago may lead elsewhere now."""
    names = Names(["127.0.0.1"], ["127.0.0.2"])
    async with GuardedHttp(frozenset({"127.0.0.1"}), timeout_s=5, resolver=names) as http:
        url = f"http://rebound.example:{fake.port}/x"
        assert (await http.request("GET", url, token="x")).status == 404
        other = f"http://rebound.example.:{fake.port}/x"  # looked up, and connected to, afresh
        with pytest.raises(AddressRefused):
            await http.request("GET", other, token="x")
    assert names.asked == 2
    assert len(fake.asked) == 1


async def test_one_bad_address_among_several_is_not_used(fake):
    names = Names(["127.0.0.1", "::1", "10.0.0.1"])
    with pytest.raises(AddressRefused):
        await ask(f"http://mixed.example:{fake.port}", names=names)
    assert fake.asked == []


@pytest.mark.parametrize("allowed", ["homeserver.internal", "HomeServer.Internal.", "127.0.0.1"])
async def test_what_is_allowed_by_name_or_by_address(fake, allowed):
    url = f"http://homeserver.internal:{fake.port}/x"
    answer = await ask(url, allowed=[allowed], names=Names(["127.0.0.1"]))
    assert answer.status == 404
    assert fake.asked[0].token == "secret"


async def test_an_allowed_name_allows_no_other(fake):
    url = f"http://evil.example:{fake.port}/x"
    with pytest.raises(AddressRefused):
        await ask(url, allowed=["homeserver.internal"], names=Names(["127.0.0.1"]))


async def test_redirects_are_not_followed(fake):
    fake.always = answering(302, Location=f"{fake.url}/elsewhere")
    url = f"{fake.url}/_matrix/client/v3/rooms/!r/send/m.room.message/1"
    async with GuardedHttp(frozenset({"127.0.0.1"}), timeout_s=5) as http:
        answer = await http.request("PUT", url, token="x", body={})
    assert answer.status == 302
    assert len(fake.asked) == 1


async def test_no_answer_in_time(fake):
    fake.always = hang
    url = f"{fake.url}/_matrix/client/v3/rooms/!r/send/m.room.message/1"
    async with GuardedHttp(frozenset({"127.0.0.1"}), timeout_s=0.2) as http:
        with pytest.raises(ServerUnreachable, match="no answer in time"):
            await http.request("PUT", url, token="x", body={})


async def test_a_name_that_does_not_exist():
    with pytest.raises(ServerUnreachable, match="looked up"):
        await ask("http://nowhere.invalid")


async def test_what_is_no_tls(fake):
    with pytest.raises(ServerUnreachable, match="no TLS"):
        await ask(f"https://127.0.0.1:{fake.port}", allowed=["127.0.0.1"])


@pytest.mark.parametrize("body", ["", "{", "[1]", "null", "\x00", "x" * 70_000])
async def test_what_is_no_object_counts_as_an_empty_one(fake, body):
    fake.always = answering(200, text=body)
    url = f"{fake.url}/_matrix/client/v3/rooms/!r/send/m.room.message/1"
    async with GuardedHttp(frozenset({"127.0.0.1"}), timeout_s=5) as http:
        answer = await http.request("PUT", url, token="x", body={})
    assert answer.status == 200
    assert answer.document == {}
