"""What is tried again, until it is too old."""

import asyncio
import json

import pytest

from channel_server.bots.messages import Bot
from channel_server.errors import MatrixBusy
from tests.integration.program import until
from tests.matrix.homeserver import accept_and_cut, answering, babble, cut
from tests.matrix.relay import Relay, arrived, config, waiting
from tests.matrix.writing import Writing

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(500), id="500"),
        pytest.param(answering(502, text="<html>bad gateway</html>"), id="502 of a proxy"),
        pytest.param(
            answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 50}), id="429"
        ),
        pytest.param(
            answering(429, {"errcode": "M_LIMIT_EXCEEDED"}, **{"Retry-After": "0"}), id="0"
        ),
        pytest.param(answering(429, {"retry_after_ms": "soon"}), id="429 with nonsense"),
        pytest.param(answering(200, text="<html>welcome</html>"), id="junk"),
        pytest.param(answering(200, ["event_id"]), id="list"),
        pytest.param(answering(200, {"event_id": None}), id="null"),
        pytest.param(answering(200, text="x" * 100_000), id="too long"),
        pytest.param(babble, id="endless"),
        pytest.param(cut, id="cut"),
        pytest.param(accept_and_cut, id="cut after it was accepted"),
    ],
)
@pytest.mark.usefixtures("relay")
async def test_a_passing_fault_costs_nothing(publisher, fake, fault):
    fake.faults.append(fault)
    for body in ("one", "two", "three"):
        publisher.chatbots.test(config(fake.url), body)
    await arrived(fake, "one", "two", "three")
    transactions = [path.rpartition("/")[2] for path in fake.paths("/send/")]
    assert len(transactions) == 4
    assert transactions[0] == transactions[1]
    assert len(set(transactions)) == 3


@pytest.mark.usefixtures("relay")
async def test_a_rate_limit_is_obeyed(publisher, fake):
    fake.faults.append(answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    publisher.chatbots.test(config(fake.url), "one")
    publisher.chatbots.test(config(fake.url, token="other"), "two")
    await arrived(fake, "two", "one")  # the other bot did not wait
    assert loop.time() - began_s >= 2.5


@pytest.mark.parametrize("status", [429, 503])
async def test_a_homeserver_may_name_a_time(fake, status):
    """Found by running against a homeserver that answers with a date: we came back after a second."""
    fake.faults.append(answering(status, **{"Retry-After": "Sun, 06 Nov 1994 12:00:30 GMT"}))
    async with Writing(Bot(fake.url, "token")) as writing:
        with pytest.raises(MatrixBusy) as raised:
            await writing.write("!room:fake", "hello")
    assert raised.value.wait_s == 30.0


async def test_a_homeserver_that_is_down_gets_its_messages_later(relay, publisher, fake):
    port = fake.port
    await fake.stop()
    for number in range(5):
        publisher.chatbots.test(config(fake.url), str(number))
    await until(lambda: relay.lines("bot has to wait"), "a word about it")
    await fake.start(port)
    await arrived(fake, *map(str, range(5)))
    await until(lambda: relay.lines("bot works again"), "a word about it")
    assert len(relay.lines("bot has to wait")) == 1


async def test_old_messages_are_dropped(publisher, fake, redis, tmp_path):
    payload = {**config(fake.url), "message": "from yesterday"}
    with redis.client() as client:
        client.xadd(
            "{channel_server}:outbox", {"c": "chatbot/test", "d": json.dumps(payload)}, "1-1"
        )
        with Relay(tmp_path, redis) as relay:
            publisher.chatbots.test(config(fake.url), "fresh")
            await arrived(fake, "fresh")
            await until(lambda: waiting(redis) == 0, "an empty outbox")
            assert len(relay.lines("bot message too old")) == 1


@pytest.mark.usefixtures("relay")
async def test_a_homeserver_does_not_set_our_pace(publisher, fake):
    fake.always = answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 0.001})
    publisher.chatbots.test(config(fake.url), "x")
    await until(lambda: len(fake.asked) == 4, "four attempts")
    fake.always = None
    await arrived(fake, "x")
    assert len(fake.asked) == 5
