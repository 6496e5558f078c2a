"""What an application is told of its messages."""

import logging

import pytest

from publisher import BatchIncomplete, InvalidMessage, PublishError
from publisher.batch import Batch
from publisher.contract.journal import JOURNAL
from tests.integration.both import done

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]

RECORDS = {"events": [{"id": 91}]}
ON_WIRE = b'{"room":"group-7","records":{"events":[{"id":91}]}}'


@pytest.fixture
def told():
    return []


@pytest.fixture
def on_publish(told):
    return lambda channel, size, seconds, outcome: told.append((channel, size, seconds, outcome))


async def test_each_message_is_told_of_once(kind, redis_server, on_publish, told):
    publisher = kind.from_url(redis_server.url, on_publish=on_publish)

    await done(publisher.publish_records(RECORDS, group_id=7))
    await done(publisher.publish_system_notice("hi"))
    await done(publisher.disconnect_user(5))
    await done(publisher.tokens.revoke("t"))
    batch = Batch()
    batch.publish_records(RECORDS, group_id=7)
    batch.publish_records(RECORDS, user_id=7)
    await done(publisher.publish_batch(batch))

    assert [(channel, outcome) for channel, _, _, outcome in told] == [
        ("/records", "sent"),
        ("/system_notice", "sent"),
        ("/channel_control", "sent"),
        ("/channel_control", "sent"),
        ("/records", "sent"),
        ("/records", "sent"),
    ]
    assert told[0][1] == len(ON_WIRE)
    assert all(seconds > 0 for _, _, seconds, _ in told)
    await done(publisher.close())


async def test_what_was_not_sent_is_told_as_such(kind, new_redis_server, on_publish, told):
    server = new_redis_server()
    publisher = kind.from_url(server.url, on_publish=on_publish, timeout_s=0.3)
    with server.client() as raw:
        raw.set(JOURNAL, "x")
    batch = Batch()
    batch.publish_records(RECORDS, group_id=7)
    batch.publish_system_notice("hi")
    with server.listen("/system_notice"), pytest.raises(BatchIncomplete):
        await done(publisher.publish_batch(batch))
    server.pause()
    with pytest.raises(PublishError):
        await done(publisher.publish_records(RECORDS, group_id=7))
    server.resume()
    server.stop()
    with pytest.raises(PublishError):
        await done(publisher.publish_records(RECORDS, group_id=7))
    with pytest.raises(InvalidMessage):
        await done(publisher.publish_records(RECORDS, group_id=1.5))

    assert [outcome for *_, outcome in told] == ["unsent", "sent", "unknown", "unsent"]
    await done(publisher.close())


async def test_what_it_raises_reaches_the_log_only(kind, redis_server, caplog):
    def fail(*_):
        raise LookupError("no such metric")

    publisher = kind.from_url(redis_server.url, on_publish=fail)
    caplog.set_level(logging.ERROR)

    assert await done(publisher.publish_records(RECORDS, group_id=7)) == 0

    (record,) = caplog.records
    assert "on_publish" in record.getMessage()
    await done(publisher.close())


async def test_a_ping_is_answered_or_an_error(kind, new_redis_server):
    server = new_redis_server()
    publisher = kind.from_url(server.url, timeout_s=0.3)

    assert await done(publisher.ping()) >= 0
    server.pause()
    with pytest.raises(PublishError, match="nothing was sent: Redis does not answer"):
        await done(publisher.ping())
    server.resume()
    server.stop()
    with pytest.raises(PublishError, match="cannot be reached"):
        await done(publisher.ping())
    await done(publisher.close())
