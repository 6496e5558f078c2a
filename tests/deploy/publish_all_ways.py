"""What an application does with ``publisher``, in an environment that has nothing but the library.

Run with the URLs at which Redis is reached; nobody listens there.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import redis
import redis.asyncio

from publisher import AsyncPublisher, Publisher, RedisUnavailable
from publisher.serializers import Attributes, Serializer, serialize_models
from publisher.testing import RecordingPublisher

RECORDS = {"notes": [{"id": 1, "text": "x"}]}
ANN = {"id": 5, "name": "Ann"}


class Note:
    """A model of the application's own."""

    id, text = 1, "x"


class NoteSerializer(Serializer[Note], model=Note):
    """Its serializer."""

    attributes = Attributes("id", "text")


def publish(publisher: Publisher) -> None:
    """Once with everything."""
    publisher.ping()
    assert publisher.publish_models([Note()], group_id=1) == 0
    assert publisher.publish_records(RECORDS, group_ids=[1, 2]) == 0
    with publisher.batch() as batch:
        batch.publish_records(RECORDS, group_id=1)
        batch.publish_system_notice("x")
    assert batch.heard == [0, 0]
    token = publisher.tokens.issue(ANN, group_ids=[1])
    assert publisher.replace_groups(5, [2]) == 1
    assert publisher.tokens.revoke(token)
    publisher.tokens.issue(ANN, group_ids=[1])
    assert publisher.tokens.revoke_user(5) == 1
    publisher.close()


async def publish_async(publisher: AsyncPublisher) -> None:
    """The same in asyncio."""
    await publisher.ping()
    assert await publisher.publish_models([Note()], group_id=1) == 0
    assert await publisher.publish_records(RECORDS, group_ids=[1, 2]) == 0
    async with publisher.batch() as batch:
        batch.publish_records(RECORDS, group_id=1)
        batch.publish_system_notice("x")
    assert batch.heard == [0, 0]
    token = await publisher.tokens.issue(ANN, group_ids=[1])
    assert await publisher.replace_groups(5, [2]) == 1
    assert await publisher.tokens.revoke(token)
    await publisher.tokens.issue(ANN, group_ids=[1])
    assert await publisher.tokens.revoke_user(5) == 1
    await publisher.close()


async def publish_with_client(url: str) -> None:
    """With a client of the application's own."""
    async with redis.asyncio.Redis.from_url(url) as client:
        await publish_async(AsyncPublisher(client=client))


def check_unreachable() -> None:
    """Errors are ours."""
    publisher = Publisher.from_url("redis://127.0.0.1:1", timeout_s=1)
    said = ""
    try:
        publisher.publish_records(RECORDS, group_id=1)
    except RedisUnavailable as error:
        said = str(error)
    assert "nothing listens there" in said


def check_recording() -> None:
    """Tests of an application need no Redis."""
    recording: Any = RecordingPublisher()
    recording.publish_records(RECORDS, group_id=1)
    assert recording.records("group-1") == [RECORDS]


def main(urls: list[str]) -> None:
    """Publish to each."""
    assert serialize_models([Note()]) == RECORDS
    check_recording()
    check_unreachable()
    for url in urls:
        publish(Publisher.from_url(url))
        asyncio.run(publish_async(AsyncPublisher.from_url(url)))
        if "+" not in url:
            with redis.Redis.from_url(url) as client:
                publish(Publisher(client=client))
            asyncio.run(publish_with_client(url))


if __name__ == "__main__":
    main(sys.argv[1:])
