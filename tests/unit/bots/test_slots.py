"""Servers that fail take no place from the others."""

import asyncio
import contextlib

import pytest

from channel_server.bots.slots import PER_HOST, Slots

pytestmark = pytest.mark.asyncio


class Crowd:
    """Takes a place for each server, and holds those that it gets.

    Attributes:
        inside: How many it has got so far.
    """

    def __init__(self, slots, group, servers):
        self.inside = 0
        self.leave = asyncio.Event()
        for server in servers:
            group.create_task(self._enter(slots, server))

    async def _enter(self, slots, server):
        async with slots.take(server):
            self.inside += 1
            await self.leave.wait()


@contextlib.asynccontextmanager
async def crowds(slots, *groups_of_servers):
    """Crowds that come one after the other, and leave with the block."""
    async with asyncio.TaskGroup() as group:
        made = []
        for servers in groups_of_servers:
            made.append(Crowd(slots, group, servers))
            for _ in range(10):  # turns of the loop: nothing here waits for anything else
                await asyncio.sleep(0)
        yield made
        for crowd in made:
            crowd.leave.set()


@pytest.fixture
def slots():
    return Slots(lambda: 0.0)


async def test_one_server_has_so_many_places_and_no_more(slots):
    async with crowds(slots, ["https://a"] * (PER_HOST + 10), ["https://b"]) as (crowd, other):
        assert crowd.inside == PER_HOST
        assert other.inside == 1
    assert crowd.inside == PER_HOST + 10
    assert not slots._of_host


async def test_a_thousand_failing_servers_leave_room(slots):
    servers = [f"https://{number}" for number in range(1000)]
    for server in servers:
        slots.failed(server)
    async with crowds(slots, servers, ["https://good"]) as (crowd, good):
        assert 0 < crowd.inside < 100
        assert good.inside == 1


async def test_new_servers_leave_room_for_good_ones(slots):
    slots.worked("https://good")
    servers = [f"https://{number}" for number in range(1000)]
    async with crowds(slots, servers, ["https://good"]) as (crowd, good):
        assert 0 < crowd.inside < 100
        assert good.inside == 1


async def test_ports_of_one_host_share_its_places(slots):
    servers = [f"https://a:{port}" for port in range(1, 100)]
    async with crowds(slots, servers) as (crowd,):
        assert crowd.inside == PER_HOST


async def test_who_takes_long_counts_as_failing_whatever_it_says():
    now_s = 0.0
    slots = Slots(lambda: now_s)
    slots.worked("https://slow")
    with slots.timed("https://slow"):
        now_s = 3.1
    assert slots._places_for("slow") is slots._failing


async def test_who_has_answered_is_as_good_as_new(slots):
    slots.failed("https://a")
    assert slots._places_for("a") is slots._failing
    slots.worked("https://a")
    assert slots._places_for("a") is slots._good


async def test_failures_are_forgotten_in_time_and_in_number():
    now_s = 0.0
    slots = Slots(lambda: now_s)
    for number in range(20_000):
        slots.failed(f"https://{number}")
    assert len(slots._failing_hosts) == 10_000
    assert slots._places_for("19999") is slots._failing
    now_s = 301.0
    assert slots._places_for("19999") is slots._new
