"""The applications in docs/examples, seen by a browser: it signs in, connects, and hears."""

from pathlib import Path

import pytest

from tests.integration.examples import Visitor, running
from tests.servers import start_channel_server, stop

SOCKET_IO = Path(__file__).parents[1] / "js/node_modules/socket.io-client/dist/socket.io.min.js"
CONNECT = """async ([channels, login]) => {
  window.heard = [];
  const response = await fetch("boot", { headers: { Authorization: `Basic ${btoa(login)}` } });
  const { channel_token } = await response.json();
  const socket = io(channels, { query: { channel_token } });
  socket.on("records", (message) => heard.push(message));
  await new Promise((resolve) => socket.on("connect", resolve));
}"""

pytestmark = [pytest.mark.browser, pytest.mark.redis, pytest.mark.slow]


@pytest.fixture(scope="module")
def channels(redis_server):
    server = start_channel_server({"REDIS_URL": redis_server.url})
    yield server.url
    stop(server.process)


@pytest.mark.parametrize("example", ["django", "fastapi", "flask"])
def test_a_browser_hears_what_somebody_says(example, channels, browser, redis_server, tmp_path):
    with running(example, redis_server.url, tmp_path) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)  # where there is nothing but the origin
        page.add_script_tag(path=SOCKET_IO)
        page.evaluate(CONNECT, [channels, "ben:ben-s-secret"])

        ann = Visitor(url, "ann")
        assert ann.say(1, "not for ben")[0] == 201
        _, comment_id = ann.say(2, "lunch?")
        page.wait_for_function("heard.length > 0")
        (heard,) = page.evaluate("heard")
        context.close()

    assert heard["room"] == "group-2"
    assert [user["name"] for user in heard["records"]["users"]] == ["ann"]
    assert [comment["id"] for comment in heard["records"]["comments"]] == [comment_id]
