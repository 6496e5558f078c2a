"""Publishers for the tests of applications. They check and serialise as the real ones."""

import asyncio
import inspect
import subprocess
import sys

import pytest

from publisher import InvalidMessage
from publisher.serializers import Attributes, Serializer
from publisher.testing import (
    AsyncRecordingPublisher,
    Published,
    RecordingPublisher,
    async_recording_publisher,
    recording_publisher,
)

__all__ = ["async_recording_publisher", "recording_publisher"]

BOT = {"server": "https://matrix.example", "access_token": "secret", "channel": "#a:example"}


class NoteSerializer(Serializer[dict]):
    attributes = Attributes("id")
    root = "notes"


@pytest.fixture(params=[RecordingPublisher, AsyncRecordingPublisher], ids=["blocking", "asyncio"])
def publisher(request):
    return request.param()


def done(result):
    return asyncio.run(_await(result)) if inspect.isawaitable(result) else result


async def _await(result):
    return await result


def test_records_models_and_notices_are_kept_by_room(publisher):
    done(publisher.publish_records({"a": [{"id": 1}]}, group_id=7))
    done(publisher.publish_models([{"id": 2}], serializer=NoteSerializer, user_id=3))
    done(publisher.publish_system_notice("Hi"))

    assert publisher.records("group-7") == [{"a": [{"id": 1}]}]
    assert publisher.records("user-3") == [{"notes": [{"id": 2}]}]
    assert publisher.records(None) == []
    assert [notice["notice"] for notice in publisher.notices] == ["Hi"]
    publisher.clear()
    assert publisher.published == []


def test_a_wrong_argument_is_an_error_as_in_production(publisher):
    with pytest.raises(InvalidMessage):
        done(publisher.publish_records({"a": []}, group_id=7.0))


def test_tokens_and_orders_do_what_they_do_in_redis(publisher):
    ann = {"id": 5, "name": "Ann"}
    for token in ("one", "two"):
        assert done(publisher.tokens.issue(ann, group_ids=[1], token=token)) == token
    assert publisher.users["one"] == {"name": "Ann", "group_ids": [1], "id": 5}

    assert done(publisher.replace_groups(5, [2, 3])) == 2
    assert publisher.users["two"]["group_ids"] == [2, 3]
    assert done(publisher.tokens.revoke("one")) is True
    assert done(publisher.tokens.revoke("one")) is False
    assert done(publisher.tokens.revoke_user(5)) == 1
    assert publisher.users == {}
    assert done(publisher.disconnect_user(5)) == 1
    orders = [each.message["action"] for each in publisher.published]
    assert orders == ["set_groups", "hang_up", "hang_up", "hang_up", "hang_up"]


def test_the_number_7_and_the_text_7_are_one_user(publisher):
    done(publisher.tokens.issue({"id": "7", "name": "Ann"}, group_ids=[], token="t"))

    assert done(publisher.replace_groups(7, ["team-1"])) == 1
    assert publisher.users["t"] == {"name": "Ann", "group_ids": ["team-1"], "id": "7"}
    assert done(publisher.tokens.revoke_user("007")) == 0
    assert done(publisher.tokens.revoke_user(7)) == 1


def test_bots(publisher):
    assert done(publisher.chatbots.test(BOT)) == 1
    assert done(publisher.chatbots.publish(BOT, "<b>hi</b>")) == 1

    message = {**BOT, "message": "Loomio bot connection test successful!"}
    assert publisher.published == [
        Published("chatbot/test", message),
        Published("chatbot/publish", {"config": BOT, "payload": {"html": "<b>hi</b>"}}),
    ]


def test_a_batch(recording_publisher):
    with recording_publisher.batch() as batch:
        batch.publish_records({"a": []}, user_id=1)
        batch.publish_records({"b": []}, user_id=2)
        assert recording_publisher.published == []

    assert batch.heard == [1, 1]
    assert recording_publisher.records("user-2") == [{"b": []}]


def test_a_batch_of_the_other_kind(async_recording_publisher):
    async def publish():
        async with async_recording_publisher.batch() as batch:
            batch.publish_records({"a": []}, user_id=1)

    asyncio.run(publish())

    assert async_recording_publisher.records("user-1") == [{"a": []}]


def test_a_ping_is_answered(publisher):
    """Found at the last reading: it was taken for a script."""
    assert done(publisher.ping()) >= 0


def test_the_publishers_need_no_pytest():
    """Applications that test with unittest have none."""
    program = (
        "import sys; sys.modules['pytest'] = None\n"
        "from publisher.testing import RecordingPublisher\n"
        "publisher = RecordingPublisher()\n"
        "publisher.publish_records({'a': [1]}, group_id=7)\n"
        "print(publisher.records('group-7'))\n"
        "from publisher.testing import recording_publisher\n"
    )

    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert run.stdout == "[{'a': [1]}]\n"
    assert "cannot import name 'recording_publisher'" in run.stderr
