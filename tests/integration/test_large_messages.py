"""A message that is too large to be kept: delivered, admitted, and nobody else's trouble."""

import asyncio
import json

import pytest

from publisher import AsyncPublisher, InvalidMessage, Publisher
from publisher.batch import Batch
from tests.faults.link import Link
from tests.integration.pages import WAITS_MS, pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

MIB = 1024 * 1024


@pytest.fixture
def redis(new_redis_server):
    """One that does not hang up a subscriber for a message of more than 32 MB."""
    return new_redis_server("--client-output-buffer-limit", "pubsub", "0", "0", "0")


def message(room, size):
    records = {"comments": [{"id": 1, "body": "x" * size}]}
    return json.dumps({"room": room, "records": records}).encode()


@pytest.mark.parametrize("journal", ["redis", "memory", "off"])
@pytest.mark.parametrize("transport", ["websocket", "polling"])
async def test_a_large_message_is_delivered_in_its_place(redis, tmp_path, journal, transport):
    with Program(tmp_path, REDIS_URL=redis.url, JOURNAL=journal) as server, redis.client() as raw:
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token, transport)

            packets = [site.publish(account.room, 1)]
            packets.append(site.publish_raw(message(account.room, 9 * MIB)))
            packets.append(site.publish(account.room, 2))

            assert await page.got(3, WAITS_MS) == packets
        said = server.lines("message too large to be kept channel=/records size=9437")
        assert len(said) == (journal != "off")


async def test_a_large_message_is_not_kept_and_is_a_gap(redis, tmp_path):
    """One of 70 MB emptied the journal: nobody who was away could recover."""
    with Program(tmp_path, REDIS_URL=redis.url) as server, redis.client() as raw:
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            before = site.publish(account.room, "before")
            await page.got(1)
            kept = raw.hget("{channel_server}:state", "trimmed")

            site.publish_raw(message(account.room, 20 * MIB))
            await page.got(1, WAITS_MS)

            await until(lambda: has_gap(raw), "the gap is admitted")
            assert raw.hget("{channel_server}:state", "trimmed") == kept
            kept_data = [fields[b"d"] for _, fields in raw.xrange("{channel_server}:journal")]
            assert max(map(len, kept_data)) < 1000
            assert before[len(b'42["records",') : -1] in kept_data


def has_gap(raw):
    entries = raw.xrange("{channel_server}:journal")
    large = [number for number, (_, fields) in enumerate(entries) if b"before" in fields[b"d"]]
    return any(fields[b"k"] == b"g" for _, fields in entries[large[-1] :])


async def test_reading_a_large_message_does_not_make_redis_silent(redis, tmp_path):
    """One of 50 MB made the server call Redis silent three times."""
    settings = {"REDIS_URL": redis.url, "PROBE_SECONDS": "1", "WRITE_LIMIT_KIB": "65536"}
    with Program(tmp_path, **settings) as server, redis.client() as raw:
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            packet = site.publish_raw(message(account.room, 50 * MIB))
            assert await page.got(1, WAITS_MS) == [packet]

        assert server.lines("Redis lost") == []
        assert server.lines("degraded") == []
        assert server.is_ready()


async def test_the_server_is_ready_while_a_large_message_comes_slowly(redis, tmp_path):
    """It takes five seconds, and nothing else is heard meanwhile."""
    with (
        Link(redis.socket, bytes_per_s=4 * MIB) as link,
        Program(tmp_path, REDIS_URL=f"redis://127.0.0.1:{link.port}", PROBE_SECONDS="1") as server,
        redis.client() as raw,
    ):
        server.wait_ready()
        site = Site(raw)
        account = site.sign_in()
        async with pages_of(server.port) as pages:
            page = await pages.enter(account.token)
            answers = []
            packet = site.publish_raw(message(account.room, 20 * MIB))
            got = asyncio.create_task(page.got(1, WAITS_MS))
            while not got.done():
                answers.append(await asyncio.to_thread(server.is_ready))
                await asyncio.sleep(0.1)

        assert await got == [packet]
        assert len(answers) >= 5
        assert all(answers)
        assert server.lines("Redis lost") == []


async def test_the_library_refuses_what_is_too_large(redis):
    with (
        Publisher.from_url(redis.url, max_message_bytes=1000) as publisher,
        pytest.raises(
            InvalidMessage, match=r"message has 1\d\d\d bytes, and at most 1000 are sent"
        ),
    ):
        publisher.publish_records({"comments": [{"id": 1, "body": "x" * 1000}]}, group_id=1)


async def test_the_asynchronous_library_refuses_it_too_in_a_batch(redis):
    async with AsyncPublisher.from_url(redis.url, max_message_bytes=1000) as publisher:
        batch = Batch()
        batch.publish_records({"comments": [{"id": 1}]}, group_id=1)
        batch.publish_records({"comments": [{"id": 1, "body": "x" * 1000}]}, group_id=1)
        with pytest.raises(InvalidMessage, match="1000 are sent"):
            await publisher.publish_batch(batch)

    with redis.client() as raw:
        assert raw.xlen("{channel_server}:journal") == 0


async def test_no_message_of_the_library_gets_more_than_a_quarter_of_the_journal(redis, tmp_path):
    settings = {"REDIS_URL": redis.url, "JOURNAL_MIB": "4"}
    with Program(tmp_path, **settings) as server, redis.client() as raw:
        server.wait_ready()
        account = Site(raw).sign_in()
        async with pages_of(server.port) as pages, AsyncPublisher.from_url(redis.url) as publisher:
            page = await pages.enter(account.token)
            user_id = int(account.room.removeprefix("user-"))
            for size in (MIB // 2, 2 * MIB):
                body = {"comments": [{"id": 1, "body": "x" * size}]}
                assert await publisher.publish_records(body, user_id=user_id) == 1
                assert len((await page.got(1, WAITS_MS))[0]) > size

            sizes = [len(fields[b"d"]) for _, fields in raw.xrange("{channel_server}:journal")]
            assert MIB // 2 < max(sizes) < MIB
            await until(
                lambda: any(f[b"k"] == b"g" for _, f in raw.xrange("{channel_server}:journal")),
                "the gap is admitted",
            )
