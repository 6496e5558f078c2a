"""What a connection to Redis leaves behind. They are few, and made again for as long as it is away."""

import asyncio
import gc
from collections import Counter

import pytest
import uvloop

from channel_server.adapters.line import RequestLine, encode
from channel_server.adapters.subscription import Subscription
from channel_server.errors import RedisLost

pytestmark = pytest.mark.redis

LINES = 1_000
FEW = 100


@pytest.fixture
def redis(new_redis_server):
    return new_redis_server("--requirepass", "secret", password="secret")


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


async def is_closed_by_us(redis):
    line = await RequestLine.to(redis.url, 5.0)
    line.close("test")


async def is_killed(redis):
    line = await RequestLine.to(redis.url, 5.0)
    line.send(encode(b"QUIT"))
    await line.lost


async def is_a_subscription(redis):
    line = Subscription({b"channel": "channel"}, lambda _channel, _payload: 0)
    await line.open(redis.url)
    await line.subscribe(5.0)
    line.close("test")


async def has_no_password(redis):
    with pytest.raises(RedisLost):
        await RequestLine.to(f"unix://{redis.socket}", 5.0)


async def has_a_wrong_password(redis):
    with pytest.raises(RedisLost):
        await RequestLine.to(f"unix://{redis.socket}?password=wrong", 5.0)


async def has_nobody_to_speak_to(redis):
    with pytest.raises(RedisLost):
        await RequestLine.to(f"unix://{redis.socket}.missing", 5.0)


async def is_given_up(redis):
    opening = asyncio.create_task(RequestLine.to(redis.url, 5.0))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening


@pytest.mark.parametrize(
    "way",
    [
        is_closed_by_us,
        is_killed,
        is_a_subscription,
        has_no_password,
        has_a_wrong_password,
        has_nobody_to_speak_to,
        is_given_up,
    ],
    ids=lambda way: way.__name__,
)
@pytest.mark.usefixtures("no_collector")
def test_a_connection_to_redis_leaves_nothing_behind(redis, way):
    async def come_and_go():
        for _ in range(LINES):
            await way(redis)

    uvloop.run(come_and_go())  # a transport of asyncio itself holds itself

    gc.set_debug(gc.DEBUG_SAVEALL)
    gc.collect()
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.garbage)
    assert sum(kinds.values()) < FEW, kinds
