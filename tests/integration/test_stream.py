"""The reader of the journal on a real Redis."""

import asyncio
import contextlib
import time

import pytest
import uvloop

from channel_server.adapters.commands import Commands
from channel_server.adapters.line import RequestLine, encode
from channel_server.adapters.pauses import Pauses
from channel_server.adapters.stream import Stream
from tests.integration.program import until

pytestmark = pytest.mark.redis

_STALL_S = 0.5
_PATIENCE_S = 0.3


@pytest.mark.asyncio
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


@contextlib.asynccontextmanager
async def line_beside_a_stall(url, after_s):
    """One whose process is busy with what another connection has brought."""
    line, other = await RequestLine.to(url, 1), await RequestLine.to(url, 1)
    other.request(encode(b"BLPOP", b"none", b"%.2f" % after_s), lambda _: time.sleep(_STALL_S))
    try:
        yield line
    finally:
        line.close("stopped")
        other.close("stopped")


@pytest.mark.serial
def test_an_answer_that_came_while_we_were_busy_is_in_time(redis_server):
    """Seen in CI: while 50 MB were read, Redis was called silent."""

    async def ask():
        async with line_beside_a_stall(redis_server.url, 0.05) as line:
            command = encode(b"XREAD", b"BLOCK", b"100", b"STREAMS", b"none", b"0")
            return await line.execute(command, within_s=_PATIENCE_S)

    assert uvloop.run(ask()) is None


@pytest.mark.serial
def test_a_sign_of_life_that_came_while_we_were_busy_counts(redis_server):
    async def watch():
        pauses = Pauses(lambda: 0.0)
        commands = Commands(redis_server.url, probe_s=_PATIENCE_S, pauses=pauses)
        running = asyncio.create_task(commands.run())
        await commands.has_connected.wait()
        # The second sign of life is asked for after 0.3 s, and answered when this one is.
        async with line_beside_a_stall(redis_server.url, 0.35):
            commands.send(encode(b"BLPOP", b"none", b"0.4"), lambda _: None)
            await asyncio.sleep(2 * _STALL_S)
        running.cancel()
        return commands.connections

    assert uvloop.run(watch()) == 1
