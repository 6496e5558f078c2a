"""The applications in docs/examples, each with a real channel server and a real client."""

import os
import subprocess
import sys

import pytest

from tests.integration.examples import EXAMPLES, JSON, Visitor, running
from tests.node_client import NodeClient
from tests.servers import start_channel_server, stop

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

every_example = pytest.mark.parametrize(
    "url", ["aiohttp", "django", "fastapi", "flask"], indirect=True
)


@pytest.fixture(scope="module")
def channels(redis_server):
    server = start_channel_server({"REDIS_URL": redis_server.url})
    yield server.url
    stop(server.process)


@pytest.fixture
def url(redis_server, tmp_path, request):
    """Address of a running example."""
    with running(request.param, redis_server.url, tmp_path) as address:
        yield address


@every_example
def test_what_one_says_the_other_hears(url, channels):
    ann, ben = Visitor(url, "ann"), Visitor(url, "ben")
    token = ben.boot()["channel_token"]
    ann_id, _, _ = ann.boot()["user_secret"].partition(",")

    with NodeClient("socket.io-client", channels, token=token) as page:
        page.wait_for("connect")
        assert ann.say(1, "not for ben")[0] == 201
        status, comment_id = ann.say(2, "lunch?")
        heard = page.wait_for("records")["data"]

    assert status == 201
    assert heard["room"] == "group-2"
    (user,), (comment,) = heard["records"]["users"], heard["records"]["comments"]
    assert user == {"id": comment["author_id"], "name": "ann"}
    assert (comment["id"], comment["body"]) == (comment_id, "lunch?")
    assert str(comment["author_id"]) == ann_id


@every_example
def test_who_may_edit_what(url):
    ann, ben = Visitor(url, "ann"), Visitor(url, "ben")
    _, comment_id = ann.say(2, "lunch?")
    name = f"comment-{comment_id}-body"

    assert ann.may_edit(ann.boot()["user_secret"], name) == 200
    assert ben.may_edit(ben.boot()["user_secret"], name) == 401
    ann_id, _, _ = ann.boot()["user_secret"].partition(",")
    assert ben.may_edit(f"{ann_id},wrong", name) == 401
    assert ben.may_edit(None, name) == 400


def test_migrations_of_the_django_example_are_complete(redis_server, tmp_path):
    check = [EXAMPLES / "django" / "manage.py", "makemigrations", "--check", "--dry-run"]
    env = os.environ | {"REDIS_URL": redis_server.url, "DATABASE": str(tmp_path / "db.sqlite3")}

    assert subprocess.run([sys.executable, *check], env=env, check=False).returncode == 0


@every_example
def test_bad_input_is_no_error_of_the_server(url):
    ann = Visitor(url, "ann")

    assert ann.say(3, "not my group")[0] == 404
    assert ann.say(2, "")[0] in {400, 422}
    assert ann.ask("/groups/2/comments", b"[", **JSON)[0] in {400, 422}
    assert Visitor(url).say(2, "hi")[0] == 401
    for login in ("nonsense", "é"):
        assert Visitor(url).ask("/boot", Authorization=f"Basic {login}")[0] == 401
