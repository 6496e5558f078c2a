"""Processes that are killed, and more than one of them."""

import asyncio

import pytest

from tests.integration.program import until
from tests.matrix.homeserver import accept_and_cut, answering, hang
from tests.matrix.relay import Relay, arrived, config, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


async def test_what_waits_survives_a_crash(relay, publisher, fake, redis, tmp_path):
    fake.always = answering(503)
    for number in range(3):
        publisher.chatbots.test(config(fake.url), str(number))
    await until(lambda: len(fake.asked) > 0 and waiting(redis) == 3, "three messages that wait")
    relay.kill()
    fake.always = None
    with Relay(tmp_path, redis):
        await arrived(fake, "0", "1", "2")


async def test_killed_between_sending_and_hearing_of_it(relay, publisher, fake, redis, tmp_path):
    async def accept_and_hang(request):
        accepted.set()
        return await hang(request)

    accepted = asyncio.Event()
    fake.faults.append(accept_and_cut)
    fake.faults.append(accept_and_hang)
    publisher.chatbots.test(config(fake.url), "once")
    await asyncio.wait_for(accepted.wait(), 20)
    assert fake.bodies == ["once"]
    relay.kill()
    with Relay(tmp_path, redis):
        publisher.chatbots.test(config(fake.url), "next")
        await arrived(fake, "once", "next")


async def test_two_replicas_send_each_message_once(relay, publisher, fake, redis, tmp_path):
    with Relay(tmp_path, redis) as other:
        for number in range(20):
            publisher.chatbots.test(config(fake.url), str(number))
        publisher.chatbots.test(config(fake.url), "0")  # the same words again are another message
        await arrived(fake, *map(str, range(20)), "0")
        await until(lambda: waiting(redis) == 0, "an empty outbox")
        relay.kill()
        for number in range(20):
            publisher.chatbots.test(config(fake.url), f"after {number}")
        await arrived(
            fake, *map(str, range(20)), "0", *(f"after {number}" for number in range(20))
        )
        assert other.lines("sending for bots")


async def test_a_replica_that_is_stopped_hands_over_at_once(
    relay, publisher, fake, redis, tmp_path
):
    publisher.chatbots.test(config(fake.url), "one")
    await arrived(fake, "one")
    with Relay(tmp_path, redis) as other:
        relay.process.terminate()
        assert await asyncio.to_thread(relay.process.wait, 10) == 0
        publisher.chatbots.test(config(fake.url), "two")
        await arrived(fake, "one", "two")
        assert other.lines("sending for bots")
