"""Who a token stands for, where Redis lets the server run no scripts."""

import asyncio
import contextlib
import logging
import random

import pytest

from channel_server.adapters.commands import Commands
from channel_server.adapters.directory import Directory
from channel_server.adapters.pauses import Pauses
from publisher.contract import CURRENT_USERS

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

TTL_S = 60
ANN = '{"name":"Ann","group_ids":[1],"id":5}'
RIGHTS = ("ACL", "SETUSER", "web", "reset", "on", ">pw", "~*", "&*", "+@all")


@contextlib.asynccontextmanager
async def looking_up(url):
    commands = Commands(url, probe_s=5.0, pauses=Pauses(random.random))
    task = asyncio.create_task(commands.run())
    try:
        await commands.has_connected.wait()
        yield Directory(commands, patience_s=5.0, token_ttl_s=TTL_S)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_scripts_are_tried_again_after_a_while(new_redis_server, caplog):
    """They were refused for the life of the process, and tokens ran out under their users."""
    caplog.set_level(logging.INFO, Directory.__module__)
    server = new_redis_server()
    key = CURRENT_USERS + "ann"
    with server.client() as redis:
        redis.execute_command(*RIGHTS, "-@scripting")
        redis.set(key, ANN, px=1_000 * TTL_S // 2)
        async with looking_up(server.url.replace("unix://", "unix://web:pw@")) as directory:
            for _ in range(2):
                assert (await directory.find("ann")).user_id == "5"
            redis.execute_command(*RIGHTS)
            await directory.find("ann")
            assert redis.pttl(key) <= 1_000 * TTL_S // 2

            directory._scripts_again_at = 0.0  # a minute is over
            await directory.find("ann")
            assert redis.pttl(key) > 1_000 * TTL_S // 2

    assert [record.message for record in caplog.records] == [
        "Redis allows no scripts: tokens are not renewed",
        "Redis allows scripts again",
    ]
