"""Redis restarts, forgets, is full."""

import json

import pytest

from tests.integration.program import until
from tests.matrix.relay import arrived, config, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.mark.usefixtures("relay")
async def test_redis_that_forgets_everything(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "before")
    await arrived(fake, "before")
    await until(lambda: waiting(redis) == 0, "an empty outbox")
    payload = json.dumps({**config(fake.url), "message": "after"})
    with redis.client() as client:
        seconds, _ = client.time()
        client.flushall()
        # As if its clock had gone back.
        earlier = f"{(seconds - 60) * 1000}-0"
        client.xadd("{channel_server}:outbox", {"c": "chatbot/test", "d": payload}, earlier)
    await arrived(fake, "before", "after")


@pytest.mark.usefixtures("relay")
async def test_redis_that_restarts_loses_nothing_that_was_heard(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "before")
    await arrived(fake, "before")
    redis.kill()
    redis.start()
    await until(lambda: "psub=1" in _clients(redis), "a subscription")
    publisher.chatbots.test(config(fake.url), "after")
    await arrived(fake, "before", "after")


def _clients(redis):
    with redis.client() as client:
        return str(client.execute_command("CLIENT", "LIST"))


async def test_what_redis_cannot_keep_is_kept_here(relay, fake, redis):
    with redis.client() as client:
        client.config_set("maxmemory", 1)
        for number in range(3):
            client.publish(
                "chatbot/test", json.dumps({**config(fake.url), "message": str(number)})
            )
        await until(lambda: relay.lines("bot messages cannot be kept"), "a word about it")
        client.config_set("maxmemory", 0)
    await arrived(fake, "0", "1", "2")
    assert len(relay.lines("bot messages cannot be kept")) == 1
