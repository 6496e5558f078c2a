"""What docs/publishing.md shows after its tutorial is run here, block by block.

The tutorial itself is followed in tests/browser.
"""

import datetime as dt
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from publisher.serializers import default_loaders
from publisher.serializers.registry import registry
from publisher.testing import RecordingPublisher
from tests.unit.publisher.loomio.models import World

ROOT = Path(__file__).parents[2]
_, _, PAGE = (ROOT / "docs" / "publishing.md").read_text("utf-8").partition("## In any Python")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
MESSAGES = ROOT / "tests" / "unit" / "publisher" / "loomio" / "messages"


class User(SimpleNamespace):
    """As in Django, as far as the page uses it."""

    class objects:  # noqa: N801 - Django's name
        @staticmethod
        def in_bulk(ids):
            return {number: User(id=number, name="Ann") for number in ids}


class Comment(SimpleNamespace):
    pass


@pytest.fixture
def application(monkeypatch):
    """What an application declares at its start stays for ever; here it goes."""
    monkeypatch.setattr(default_loaders, "_loads", dict(default_loaders._loads))
    for known in ("_own", "_by_name", "_found"):
        monkeypatch.setattr(registry, known, dict(getattr(registry, known)))


@pytest.mark.usefixtures("application")
def test_every_block_does_what_the_page_says(new_redis_server, monkeypatch):
    server = new_redis_server()
    monkeypatch.setenv("REDIS_URL", server.url)
    world = World(json.loads((MESSAGES / "new_comment.json").read_text())["records"])
    names = {
        "User": User,
        "Comment": Comment,
        "comment": Comment(
            id=1,
            body="hello",
            created_at=dt.datetime(2026, 1, 31, 9, 15, 27, 412_000, tzinfo=dt.UTC),
            author_id=7,
            author=User(id=7, name="Ann"),
        ),
        "options_of_polls": lambda _: [],
        "members": [User(id=1), User(id=2)],
        "notification_for": lambda member: {"id": member.id},
        "event": world.events[91],
        "may_edit": lambda *_: False,
    }
    with server.listen("/records", "chatbot/test", "chatbot/publish") as listener:
        for block in BLOCKS:
            exec(block, names)
        heard = [(channel, json.loads(payload)) for channel, payload in listener.heard()]
    names["publisher"].close()

    rooms = [message.get("room") for channel, message in heard if channel == "/records"]
    several = ["group-1", "group-2", "user-7"]
    assert rooms[:2] == ["group-1", "user-7"]
    assert rooms[2:] == [*several, "group-1", "group-1", "user-1", "user-2", "group-7"]
    assert heard[5][1]["records"] == {
        "users": [{"id": 7, "name": "Ann"}],
        "comments": [
            {"id": 1, "body": "hello", "created_at": "2026-01-31T09:15:27.412Z", "author_id": 7}
        ],
    }
    assert [channel for channel, _ in heard[-2:]] == ["chatbot/test", "chatbot/publish"]
    names["test_a_comment_is_announced"](RecordingPublisher())
