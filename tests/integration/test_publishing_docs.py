"""What docs/publishing.md shows after its tutorial is run here, block by block.

The tutorial itself is followed in tests/browser.
"""

import datetime as dt
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

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


def measured(reader):
    """Names of what was measured, and what is said about it."""
    (resource,) = reader.get_metrics_data().resource_metrics
    (scope,) = resource.scope_metrics
    return {metric.name: dict(metric.data.data_points[0].attributes) for metric in scope.metrics}


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
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader]))
    with server.listen("/records", "chatbot/test", "chatbot/publish") as listener:
        for block in BLOCKS:
            exec(block, names)
        assert names["app"].test_client().post("/groups/3/hello").status_code == 204
        names["traced"].publish_records({"comments": [{"id": 1}]}, group_id=4)
        heard = [(channel, json.loads(payload)) for channel, payload in listener.heard()]
    with names["app"].app_context():
        used = [names[name] for name in ("publisher", "traced")]
        for publisher in [*used, names["channels"].publisher]:
            publisher.close()

    rooms = [message.get("room") for channel, message in heard if channel == "/records"]
    by_hand = ["group-1", "user-7", "group-1", "group-2", "user-7"]
    batches = ["group-1", "user-1", "user-2", "group-7"]
    assert rooms == [*by_hand, "group-1", *batches, "group-3", "group-4"]
    assert heard[5][1]["records"] == {
        "users": [{"id": 7, "name": "Ann"}],
        "comments": [
            {"id": 1, "body": "hello", "created_at": "2026-01-31T09:15:27.412Z", "author_id": 7}
        ],
    }
    bots = [channel for channel, _ in heard if channel != "/records"]
    assert bots == ["chatbot/test", "chatbot/publish"]
    names["test_a_comment_is_announced"](RecordingPublisher())
    about = {"messaging.system": "redis", "messaging.destination.name": "/records"}
    names_of_both = ("messaging.client.operation.duration", "messaging.message.body.size")
    assert measured(reader) == dict.fromkeys(names_of_both, about)
