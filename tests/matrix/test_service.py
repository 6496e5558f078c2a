"""A bug in the bots: they begin anew, and whoever runs beside them notices nothing."""

import asyncio
import json
from random import Random

import pytest

from channel_server.adapters.outbox import Outbox
from channel_server.adapters.pauses import Pauses
from channel_server.bots.service import Bots
from channel_server.config import Settings
from channel_server.metrics import Metrics
from tests.integration.program import until
from tests.matrix.relay import patterns

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]
SECRET = "syt_secret"


async def test_a_bug_ends_nothing(redis, fake, monkeypatch, caplog):
    def publish(text):
        document = {"server": fake.url, "access_token": SECRET, "channel": "!r:x", "message": text}
        with redis.client() as client:
            client.publish("chatbot/test", json.dumps(document))

    calls = []
    tick = Outbox.tick

    async def fail_once(outbox):
        calls.append(outbox)
        if len(calls) == 2:
            raise ValueError(SECRET)
        return await tick(outbox)

    monkeypatch.setattr(Outbox, "tick", fail_once)
    settings = Settings(redis_url=redis.url, matrix_allowed_hosts=frozenset({"127.0.0.1"}))
    metrics = Metrics()
    bots = Bots(settings, node="n", metrics=metrics, pauses=Pauses(Random().random))
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bots.run())
        await until(lambda: patterns(redis) == 1, "a subscription")
        publish("one")
        await until(lambda: len(calls) > 3, "a new beginning")
        await until(lambda: patterns(redis) == 1, "a new subscription")
        publish("two")
        await until(lambda: fake.bodies == ["one", "two"], "both messages")
        await until(lambda: metrics.bots_sent == 2, "both are counted")
        await bots.stop()
        running.cancel()
    assert "ValueError in fail_once" in str([vars(record) for record in caplog.records])
    assert SECRET not in str([vars(record) for record in caplog.records])


async def test_counts(redis, fake):
    """What the operator will see of it in numbers."""
    settings = Settings(redis_url=redis.url, matrix_allowed_hosts=frozenset({"127.0.0.1"}))
    metrics = Metrics()
    bots = Bots(settings, node="n", metrics=metrics, pauses=Pauses(Random().random))
    fake.tokens = {"good"}
    good = {"server": fake.url, "access_token": "good", "channel": "!r:x", "message": "hello"}
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bots.run())
        await until(lambda: patterns(redis) == 1, "a subscription")
        with redis.client() as client:
            client.publish("chatbot/other", "x")
            client.publish("chatbot/test", "{")
            client.publish("chatbot/test", json.dumps({**good, "access_token": "bad"}))
            client.publish("chatbot/test", json.dumps(good))
        await until(lambda: metrics.bots_sent + metrics.bots_refused == 2, "two ends")
        await bots.stop()
        running.cancel()
    assert (metrics.bots_ignored, metrics.bots_malformed) == (1, 1)
    assert (metrics.bots_sent, metrics.bots_refused) == (1, 1)
