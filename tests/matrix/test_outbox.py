"""The outbox on a real Redis: every node records every message, and each is there once."""

import asyncio
import contextlib
import itertools
from random import Random

import pytest

from channel_server.adapters.commands import Commands
from channel_server.adapters.outbox import Hearing, Outbox, Recorded
from channel_server.adapters.pauses import Pauses
from channel_server.errors import RedisRefused
from tests.integration.program import until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]
KEY = "{channel_server}:outbox"


class Node:
    """A node that hears messages and records them.

    Args:
        outbox: The outbox.
        name: Of the node; a subscription of its own with each ``subscribe``.
    """

    def __init__(self, outbox, name):
        self.outbox = outbox
        self._name = name
        self._subscriptions = itertools.count(1)

    async def subscribe(self):
        await next_ms(self.outbox)
        self._since_ms = await self.outbox.now_ms()
        self._numbers = itertools.count(1)
        self._listener = f"{self._name}:{next(self._subscriptions)}"

    def hear(self):
        return Hearing(self._listener, self._since_ms, next(self._numbers))

    async def record(self, words, hearing=None):
        return await self.outbox.record(hearing or self.hear(), "chatbot/test", words)


async def next_ms(outbox):
    """Wait for the next millisecond of Redis."""
    now_ms = await outbox.now_ms()
    while await outbox.now_ms() == now_ms:
        pass


@contextlib.asynccontextmanager
async def outboxes(redis, *names, **options):
    """Outboxes of nodes, each with a connection of its own."""
    options = {"lease_s": 3.0, "max_age_s": 60} | options
    async with asyncio.TaskGroup() as group:
        commands = [Commands(redis.url, probe_s=5, pauses=Pauses(Random().random)) for _ in names]
        tasks = [group.create_task(command.run()) for command in commands]
        await until(lambda: all(command.is_up for command in commands), "connections")
        yield [
            Outbox(command, node=name, **options)
            for command, name in zip(commands, names, strict=True)
        ]
        for task in tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def nodes(redis, *names, **options):
    async with outboxes(redis, *names, **options) as found:
        made = [Node(outbox, name) for outbox, name in zip(found, names, strict=True)]
        for node in made:
            await node.subscribe()
        yield made


async def words_in(outbox):
    last, words = "0-0", []
    while found := await outbox.after(last):
        words += [entry.payload for entry in found]
        last = found[-1].id
    return words


async def test_what_all_hear_is_there_once(redis):
    async with nodes(redis, "a", "b", "c") as made:
        for words in (b"one", b"two"):
            outcomes = [await node.record(words) for node in made]
            assert outcomes == [Recorded.NEW, Recorded.KNOWN, Recorded.KNOWN]
        assert await words_in(made[0].outbox) == [b"one", b"two"]


async def test_the_same_words_again_are_another_message(redis):
    async with nodes(redis, "a", "b") as (a, b):
        assert await a.record(b"x") is Recorded.NEW
        assert await a.record(b"x") is Recorded.NEW
        assert await b.record(b"x") is Recorded.KNOWN
        assert await b.record(b"x") is Recorded.KNOWN
        assert await b.record(b"x") is Recorded.NEW
        assert await a.record(b"x") is Recorded.KNOWN
        assert await words_in(a.outbox) == [b"x"] * 3


async def test_to_ask_again_does_no_harm(redis):
    async with nodes(redis, "a") as (a,):
        hearing = a.hear()
        assert await a.record(b"x", hearing) is Recorded.NEW
        assert await a.record(b"x", hearing) is Recorded.KNOWN
        assert await a.record(b"x") is Recorded.NEW
        assert await words_in(a.outbox) == [b"x"] * 2


async def test_who_came_later_has_not_heard_what_was_before(redis):
    async with nodes(redis, "a", "b") as (a, b):
        await a.record(b"x")
        await b.subscribe()
        assert await b.record(b"x") is Recorded.NEW
        assert await a.record(b"x") is Recorded.KNOWN
        await a.subscribe()  # its first subscription was lost
        assert await a.record(b"x") is Recorded.NEW
        assert await b.record(b"x") is Recorded.KNOWN
        assert await words_in(a.outbox) == [b"x"] * 3


async def test_a_node_that_records_late_and_subscribes_anew(redis):
    """Its own record is of what an earlier subscription of it has heard."""
    async with nodes(redis, "a") as (a,):
        late = a.hear()
        await a.subscribe()
        assert await a.record(b"x", late) is Recorded.NEW
        assert await a.record(b"x") is Recorded.NEW
        assert await words_in(a.outbox) == [b"x"] * 2


async def test_any_order_of_hearing(redis):
    """Two nodes that hear the same messages, each at its own pace, with repetitions."""
    random = Random(5)
    async with nodes(redis, "a", "b") as made:
        published = [bytes(random.choice(b"xyz") for _ in range(1)) for _ in range(200)]
        ahead = [list(published) for _ in made]
        while any(ahead):
            turn = random.choice([i for i, left in enumerate(ahead) if left])
            await made[turn].record(ahead[turn].pop(0))
        assert sorted(await words_in(made[0].outbox)) == sorted(published)


async def test_more_of_the_same_than_anybody_sends(redis):
    async with nodes(redis, "a", "b") as (a, b):
        for _ in range(150):
            assert await a.record(b"x") is Recorded.NEW
            assert await b.record(b"x") is Recorded.KNOWN


async def test_what_is_full_is_full_for_everybody(redis):
    async with nodes(redis, "a", "b", max_entries=2) as (a, b):
        for words in (b"1", b"2"):
            await a.record(words)
        assert await a.record(b"3") is Recorded.FULL
        assert await b.record(b"3") is Recorded.KNOWN
        (first, _) = await a.outbox.after("0-0")
        await a.outbox.delete(first.id)
        assert await a.record(b"4") is Recorded.NEW
        assert await words_in(a.outbox) == [b"2", b"4"]


async def test_bytes_are_counted(redis):
    async with nodes(redis, "a", max_bytes=10) as (a,):
        assert await a.record(b"x" * 8) is Recorded.NEW
        assert await a.record(b"y" * 8) is Recorded.FULL
        (entry,) = await a.outbox.after("0-0")
        await a.outbox.delete(entry.id)
        await a.outbox.delete(entry.id)  # again: no harm
        assert await a.record(b"z" * 8) is Recorded.NEW


async def test_one_node_has_the_lease(redis):
    async with outboxes(redis, "a", "b", lease_s=60) as (a, b):
        assert (await a.tick()).is_ours
        assert not (await b.tick()).is_ours
        assert (await a.tick()).is_ours
        await b.release()  # not its own
        assert not (await b.tick()).is_ours
        await a.release()
        assert (await b.tick()).is_ours
        assert not (await a.tick()).is_ours


async def test_everything_expires_when_nobody_runs(redis):
    async with nodes(redis, "a") as (a,):
        await a.record(b"x")
        await a.outbox.tick()
        with redis.client() as client:
            for key in client.keys("*"):
                assert 0 < client.ttl(key) <= 660, key


async def test_an_entry_of_somebody_else(redis):
    async with outboxes(redis, "a") as (a,):
        with redis.client() as client:
            client.xadd(KEY, {"strange": "fields"}, "5-7")
        (entry,) = await a.after("0-0")
        assert (entry.id, entry.at_ms, entry.channel, entry.payload) == ("5-7", 5, "", b"")
        assert await a.read("5-7") == entry
        assert await a.after("5-7") == []
        assert await a.read("6-0") is None
        await a.delete("5-7")
        assert await a.after("0-0") == []


async def test_a_key_of_another_kind_is_refused(redis):
    async with nodes(redis, "a") as (a,):
        with redis.client() as client:
            client.set(KEY, "x")
        with pytest.raises(RedisRefused) as caught:
            await a.record(b"x")
        assert caught.value.code == "WRONGTYPE"
