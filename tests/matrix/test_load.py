"""Many bots, and some that point nowhere."""

import psutil
import pytest

from tests.integration.pages import pages_of
from tests.integration.program import Program, until
from tests.integration.site import Site
from tests.matrix.homeserver import hang
from tests.matrix.relay import LOCAL, Relay, patterns, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio, pytest.mark.slow]
BOTS = 1000
LIMIT_BYTES = 20_000_000
HTML = f"<h1>News</h1><p>{'All about the proposal. ' * 80}</p>"


def config(fake, number):
    return {"server": fake.url, "access_token": f"token-{number}", "channel": f"!{number}:fake"}


def memory_bytes(process):
    return psutil.Process(process.pid).memory_full_info().uss


@pytest.mark.parametrize("homeserver", ["answers", "hangs"])
async def test_a_thousand_bots_fit_into_20_mb(redis, publisher, fake, tmp_path, homeserver):
    fake.always = hang if homeserver == "hangs" else None
    with Relay(tmp_path, redis) as relay:
        await until(lambda: relay.lines("sending for bots"), "the lease")
        idle_bytes = memory_bytes(relay.process)
        for number in range(BOTS):
            publisher.chatbots.publish(config(fake, number), HTML)
        if homeserver == "answers":
            await until(lambda: len(fake.events) == BOTS, "all messages", within_s=50)
            await until(lambda: waiting(redis) == 0, "an empty outbox")
        else:
            await until(lambda: len(fake.asked) >= 16 and waiting(redis) == BOTS, "all wait")
        assert memory_bytes(relay.process) - idle_bytes < LIMIT_BYTES


async def test_bots_that_point_nowhere_and_live_updates(redis, publisher, fake, tmp_path):
    """`make bench` shows the latency; here they arrive."""
    fake.always = hang
    settings = {"REDIS_URL": redis.url, "BOTS": "1"} | LOCAL
    with Program(tmp_path, **settings) as server, redis.client() as connection:
        server.wait_ready()
        await until(lambda: patterns(redis) > 0, "the bots' subscription")
        site = Site(connection)
        for number in range(10):
            publisher.chatbots.publish(config(fake, number), HTML)
        await until(lambda: len(fake.asked) == 10, "ten bots that hang")
        async with pages_of(server.port) as pages:
            page = await pages.enter(site.sign_in(2).token)
            expected = [site.publish("group-2", body) for body in range(100)]
            assert await page.got(100) == expected
        assert waiting(redis) == 10
        assert server.is_ready()
