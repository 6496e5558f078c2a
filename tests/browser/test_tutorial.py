"""The first ten minutes of docs/publishing.md, from an empty folder to two people who see each other."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.ports import free_port
from tests.servers import BIN, start_channel_server, stop, wait_until

ROOT = Path(__file__).parents[2]
SOCKET_IO = ROOT / "tests" / "js" / "node_modules" / "socket.io-client" / "dist"
PAGE = (ROOT / "docs" / "publishing.md").read_text("utf-8")
TUTORIAL = PAGE[PAGE.index("## Ten minutes") : PAGE.index("## In any Python")]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TUTORIAL, re.DOTALL)
NOT_HERE = ("python3 -m venv", ". venv", "pip install", "export", "python manage.py runserver")

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]


class Place:
    """Where the tutorial is followed, with ports that are free here.

    Attributes:
        channels: Port of the channel server.
        site: Port of Django.
    """

    def __init__(self, folder, redis_url):
        self.channels, self.site = free_port(), free_port()
        self.url = f"http://localhost:{self.site}"
        self._folder = folder
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        self._env = os.environ | {"REDIS_URL": redis_url, "PATH": path}

    def write(self, block):
        """Save what the page shows: its first line says where."""
        path, at_the_end = re.match(r"(?:#|<!--) (\S+\.\w+)( \(end\))?", block).groups()
        file = self._folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a" if at_the_end else "w", encoding="utf-8") as out:
            out.write(block.replace("localhost:5000", f"localhost:{self.channels}"))

    def type(self, lines):
        """Type into the second terminal."""
        here = [line for line in lines.splitlines() if not line.startswith(NOT_HERE)]
        shell = ["bash", "-euc", "\n".join(here)]
        subprocess.run(shell, cwd=self._folder, env=self._env, check=True)

    def run_site(self):
        """Start Django's own server."""
        return subprocess.Popen(
            [sys.executable, "manage.py", "runserver", "--noreload", str(self.site)],
            cwd=self._folder,
            env=self._env,
        )


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.URLError:
        return False


@pytest.fixture
def place(tmp_path, redis_server):
    """The tutorial, followed to its last line."""
    place = Place(tmp_path, redis_server.url)
    for language, block in BLOCKS[1:]:  # the first one is the channel server
        if language == "sh":
            place.type(block)
        else:
            place.write(block)
    channels = start_channel_server(
        {"REDIS_URL": redis_server.url, "PORT": str(place.channels)}, "dev"
    )
    site = place.run_site()
    try:
        wait_until(lambda: answers(f"{place.url}/admin/login/"), within_s=20, what="Django")
        yield place
    finally:
        stop(site)
        stop(channels.process, signal.SIGTERM)


def client_script(route):
    """Answer for the network, with the same version of the client."""
    wanted = re.search(r"cdn\.socket\.io/(4\.[\d.]+)/socket\.io\.min\.js$", route.request.url)
    assert wanted
    route.fulfill(path=SOCKET_IO / "socket.io.min.js")


@pytest.fixture
def visit(browser, place):
    """Open the page as somebody, in a browser of their own."""
    contexts = []

    def open_as(name):
        context = browser.new_context()
        contexts.append(context)
        context.route("https://cdn.socket.io/**", client_script)
        page = context.new_page()
        page.goto(f"{place.url}/groups/1/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(name)
        page.get_by_role("button", name="Log in").click()
        expect(page).to_have_title("Team")
        return page

    yield open_as
    for context in contexts:
        context.close()


def say(page, text):
    page.locator("input[name=body]").fill(text)
    page.get_by_role("button", name="Say it").click()


def test_what_one_says_is_there_for_the_other(visit):
    ann = visit("ann")
    say(ann, "lunch?")
    expect(ann.get_by_role("listitem")).to_have_text(["ann: lunch?"])

    ben = visit("ben")
    expect(ben.get_by_role("listitem")).to_have_text(["ann: lunch?"])
    say(ben, "<b>yes</b>")

    for page in (ann, ben):
        expect(page.get_by_role("listitem")).to_have_text(["ann: lunch?", "ben: <b>yes</b>"])
