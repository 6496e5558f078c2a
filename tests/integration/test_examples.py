"""The applications in docs/examples, each with a real channel server and a real client."""

import base64
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.node_client import NodeClient
from tests.ports import free_port
from tests.servers import start_channel_server, stop, wait_until

pytestmark = [pytest.mark.redis, pytest.mark.node, pytest.mark.slow]

every_example = pytest.mark.parametrize("url", ["aiohttp", "django", "fastapi"], indirect=True)

PEOPLE = """
from django.contrib.auth.models import Group
from comments.models import User
groups = [Group.objects.create(name=f"Group {number}") for number in (1, 2, 3)]
for name, places in (("ann", groups[:2]), ("ben", groups[1:])):
    User.objects.create_user(name, password=f"{name}-s-secret").groups.set(places)
"""
JSON = {"Content-Type": "application/json"}
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class Visitor:
    """Somebody with a browser."""

    def __init__(self, url, name=None):
        self._url = url
        login = base64.b64encode(f"{name}:{name}-s-secret".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"} if name else {}

    def ask(self, path, data=None, **headers):
        """Return status and body."""
        request = urllib.request.Request(self._url + path, data, self._headers | headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def boot(self):
        status, body = self.ask("/boot")
        assert status == 200
        return json.loads(body)

    def say(self, group_id, body):
        document = json.dumps({"body": body}).encode()
        status, answer = self.ask(f"/groups/{group_id}/comments", document, **JSON)
        return status, json.loads(answer)["id"] if status == 201 else None

    def may_edit(self, secret, name):
        question = json.dumps({"user_secret": secret, "document_name": name}).encode()
        return self.ask("/api/hocuspocus", question, **JSON)[0]


@pytest.fixture(scope="module")
def channels(redis_server):
    server = start_channel_server({"REDIS_URL": redis_server.url})
    yield server.url
    stop(server.process)


def start(example, env):
    """Start an example."""
    if example != "django":
        return subprocess.Popen([sys.executable, EXAMPLES / example / "app.py"], env=env)
    manage = [sys.executable, EXAMPLES / "django" / "manage.py"]
    for command in (["migrate", "--verbosity=0"], ["shell", "--verbosity=0", "-c", PEOPLE]):
        subprocess.run([*manage, *command], env=env, check=True)
    return subprocess.Popen([*manage, "runserver", "--noreload", env["PORT"]], env=env)


@pytest.fixture
def url(redis_server, tmp_path, request):
    """Address of a running example."""
    port = free_port()
    process = start(
        request.param,
        os.environ
        | {
            "REDIS_URL": redis_server.url,
            "PORT": str(port),
            "DATABASE": str(tmp_path / "db.sqlite3"),
        },
    )
    address = f"http://127.0.0.1:{port}"

    def answers():
        assert process.poll() is None, "the example has ended"
        try:
            return Visitor(address).ask("/boot")[0] == 401
        except urllib.error.URLError:
            return False

    try:
        wait_until(answers, within_s=20, what="GET /boot answers")
        yield address
    finally:
        stop(process, signal.SIGTERM)


@every_example
def test_what_one_says_the_other_hears(url, channels):
    ann, ben = Visitor(url, "ann"), Visitor(url, "ben")
    token = ben.boot()["channel_token"]

    with NodeClient("socket.io-client", channels, token=token) as page:
        page.wait_for("connect")
        assert ann.say(1, "not for ben")[0] == 201
        status, comment_id = ann.say(2, "lunch?")
        heard = page.wait_for("records")["data"]

    assert status == 201
    assert heard["room"] == "group-2"
    assert heard["records"]["users"] == [{"id": 1, "name": "ann"}]
    (comment,) = heard["records"]["comments"]
    assert (comment["id"], comment["body"], comment["author_id"]) == (comment_id, "lunch?", 1)


@every_example
def test_who_may_edit_what(url):
    ann, ben = Visitor(url, "ann"), Visitor(url, "ben")
    _, comment_id = ann.say(2, "lunch?")
    name = f"comment-{comment_id}-body"

    assert ann.may_edit(ann.boot()["user_secret"], name) == 200
    assert ben.may_edit(ben.boot()["user_secret"], name) == 401
    assert ben.may_edit("1,wrong", name) == 401
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
