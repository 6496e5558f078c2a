"""The reader of the journal on a real Redis."""

import asyncio
import contextlib

import pytest

from channel_server.adapters.pauses import Pauses
from channel_server.adapters.stream import Stream
from tests.integration.program import until

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


async def test_who_reads_no_more_leaves_no_connection_behind(redis_server):
    """Found in CI: an unclosed connection of an earlier test made a later one fail."""
    is_read = asyncio.Event()

    async def begin():
        is_read.set()
        return 0

    stream = Stream(
        redis_server.url,
        begin=begin,
        take=lambda _: 0,
        progress=lambda: None,
        is_read=lambda: None,
        is_refused=lambda _: None,
        probe_s=1,
        pauses=Pauses(lambda: 0.0),
    )
    with redis_server.client() as client:
        others = client.info("clients")["connected_clients"]
        reading = asyncio.create_task(stream.run())
        async with asyncio.timeout(10):
            await is_read.wait()
        assert client.info("clients")["connected_clients"] == others + 1
        reading.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reading

        def is_alone():
            return client.info("clients")["connected_clients"] == others

        await until(is_alone, "its connection is closed")
