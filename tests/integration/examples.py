"""The applications in docs/examples, as processes, and who visits them."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from tests.ports import free_port
from tests.servers import stop, wait_until

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


def _start(example, env):
    """Start an example."""
    if example != "django":
        return subprocess.Popen([sys.executable, EXAMPLES / example / "app.py"], env=env)
    manage = [sys.executable, EXAMPLES / "django" / "manage.py"]
    for command in (["migrate", "--verbosity=0"], ["shell", "--verbosity=0", "-c", PEOPLE]):
        subprocess.run([*manage, *command], env=env, check=True)
    return subprocess.Popen([*manage, "runserver", "--noreload", env["PORT"]], env=env)


@contextlib.contextmanager
def running(example, redis_url, folder):
    """Run an example; give its address."""
    port = free_port()
    database = str(folder / "db.sqlite3")
    env = os.environ | {"REDIS_URL": redis_url, "PORT": str(port), "DATABASE": database}
    process, address = _start(example, env), f"http://127.0.0.1:{port}"

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
