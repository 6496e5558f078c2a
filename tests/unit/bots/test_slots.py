"""Servers that fail take no place from the others."""

import asyncio

import pytest

from channel_server.bots.slots import PER_HOST, Slots

pytestmark = pytest.mark.asyncio


class Crowd:
    """Takes places and holds them."""

    def __init__(self, slots):
        self.slots = slots
        self.inside = 0
        self.leave = asyncio.Event()

    async def enter(self, server):
        async with self.slots.take(server):
            self.inside += 1
            await self.leave.wait()


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_one_server_has_so_many_places_and_no_more():
    slots = Slots(lambda: 0.0)
    crowd = Crowd(slots)
    async with asyncio.TaskGroup() as group:
        for _ in range(PER_HOST + 10):
            group.create_task(crowd.enter("https://a"))
        await settle()
        assert crowd.inside == PER_HOST
        other = Crowd(slots)
        group.create_task(other.enter("https://b"))
        await settle()
        assert other.inside == 1
        crowd.leave.set()
        other.leave.set()
    assert crowd.inside == PER_HOST + 10
    assert not slots._of_host


async def test_a_thousand_failing_servers_leave_room():
    slots = Slots(lambda: 0.0)
    crowd = Crowd(slots)
    async with asyncio.TaskGroup() as group:
        for number in range(1000):
            slots.failed(f"https://{number}")
            group.create_task(crowd.enter(f"https://{number}"))
        await settle()
        assert 0 < crowd.inside < 100
        good = Crowd(slots)
        group.create_task(good.enter("https://good"))
        await settle()
        assert good.inside == 1
        crowd.leave.set()
        good.leave.set()


async def test_new_servers_leave_room_for_good_ones():
    slots = Slots(lambda: 0.0)
    slots.worked("https://good")
    crowd = Crowd(slots)
    async with asyncio.TaskGroup() as group:
        for number in range(1000):
            group.create_task(crowd.enter(f"https://{number}"))
        await settle()
        good = Crowd(slots)
        group.create_task(good.enter("https://good"))
        await settle()
        assert good.inside == 1
        crowd.leave.set()
        good.leave.set()


async def test_ports_of_one_host_share_its_places():
    slots = Slots(lambda: 0.0)
    crowd = Crowd(slots)
    async with asyncio.TaskGroup() as group:
        for port in range(1, 100):
            group.create_task(crowd.enter(f"https://a:{port}"))
        await settle()
        assert crowd.inside == PER_HOST
        crowd.leave.set()


async def test_who_takes_long_counts_as_failing_whatever_it_says():
    now_s = 0.0
    slots = Slots(lambda: now_s)
    slots.worked("https://slow")
    async with slots.take("https://slow"):
        now_s = 3.1
    assert slots._places_for("slow") is slots._failing


async def test_who_has_answered_is_as_good_as_new():
    slots = Slots(lambda: 0.0)
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
