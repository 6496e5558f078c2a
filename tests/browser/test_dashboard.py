"""The dashboard in Chromium: what an operator sees and does."""

import os
import re
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

from publisher import Publisher
from tests.browser.crowd import Crowd
from tests.ports import free_port
from tests.servers import start_channel_server, stop

pytestmark = [pytest.mark.browser, pytest.mark.redis]

PASSWORD = "correct horse battery"
SCREENSHOT = Path(__file__).parents[2] / "docs" / "dashboard.png"
TOKEN = re.compile(r"[A-Za-z0-9_-]{30,}")


class Server:
    """A server with an internal port, some people, and messages that flow.

    Attributes:
        admin: Address of the internal port.
        publisher: Publishes to its Redis.
        crowd: Who is connected.
    """

    def __init__(self, redis_server, **settings):
        port = free_port()
        self.admin = f"http://127.0.0.1:{port}"
        env = {"REDIS_URL": redis_server.url, "BOTS": "0", "ADMIN_PORT": str(port), **settings}
        self.started = start_channel_server(env)
        self.publisher = Publisher.from_url(redis_server.url)
        self.crowd = Crowd(self.started.url, self.publisher)

    def close(self):
        self.crowd.close()
        self.publisher.close()
        stop(self.started.process)


@pytest.fixture
def server(redis_server):
    server = Server(redis_server)
    yield server
    server.close()


@pytest.fixture
def locked(redis_server):
    """A server whose dashboard asks for a password."""
    server = Server(redis_server, ADMIN_PASSWORD=PASSWORD)
    yield server
    server.close()


@pytest.fixture
def page(browser):
    """A page that must not complain, and must fetch nothing from elsewhere."""
    context = browser.new_context()
    page = context.new_page()
    page.complaints, page.fetched = [], set()
    page.on("console", lambda line: line.type == "error" and page.complaints.append(line.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.fetched.add(request.url.split("/")[2]))
    yield page
    context.close()


def number(page, name):
    """A number under the heading "Now"."""
    return page.locator("dt", has_text=re.compile(f"^{name}$")).locator("+ dd")


def test_it_shows_who_is_here_and_what_flows(server, page):
    server.crowd.enter(user_id=1, group_ids=(7, 8))
    server.crowd.enter(user_id=2, group_ids=(7,))
    server.crowd.enter()
    page.goto(f"{server.admin}/admin")

    expect(page.locator("#status")).to_have_text("ok")
    expect(number(page, "Clients")).to_have_text("3")
    expect(number(page, "of them signed in")).to_have_text("2")
    expect(number(page, "Users online")).to_have_text("2")
    expect(page.locator("#rooms tr").nth(0)).to_have_text("notice3")
    expect(page.locator("#rooms tr").nth(1)).to_have_text("group-72")
    expect(page.locator("#nodes")).to_contain_text("(this one)")
    line = page.get_by_role("img", name="Messages")
    before = line.get_attribute("aria-label")
    with server.crowd.busy(group_id=7):
        expect(line).not_to_have_attribute("aria-label", before, timeout=15_000)
        expect(line.locator("path").nth(1)).to_have_attribute("d", re.compile("^M.*L"))
    assert page.complaints == []
    assert page.fetched == {server.admin.removeprefix("http://")}


def test_rooms_can_be_searched(server, page):
    server.crowd.enter(user_id=1, group_ids=(7, 77, 8))
    page.goto(f"{server.admin}/admin")

    page.get_by_label("Search by name").fill("group-7")

    expect(page.locator("#rooms tr")).to_have_count(2)
    expect(page.locator("#rooms-total")).to_have_text("2 of 2 rooms")


def test_a_user_is_disconnected_after_a_question(server, page):
    server.crowd.enter(user_id=4, group_ids=(7,))
    stays = server.crowd.enter(user_id=5, group_ids=(7,))
    page.goto(f"{server.admin}/admin")
    expect(number(page, "Clients")).to_have_text("2")

    page.get_by_label("Disconnect a user").fill("4")
    page.get_by_role("button", name="Disconnect").click()
    expect(page.get_by_role("dialog")).to_contain_text("Disconnect user 4")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.locator("#done").text_content() == ""
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("button", name="Yes, do it").click()

    expect(page.locator("#done")).to_have_text("Done: heard by 1 channel server.")
    server.crowd.wait_for_hang_ups(1)
    assert stays.is_connected


def test_a_notice_reaches_everybody_and_everything_works_with_the_keyboard(server, page):
    visitor = server.crowd.enter()
    page.goto(f"{server.admin}/admin")
    expect(page.locator("#status")).to_have_text("ok")

    page.get_by_label("Show a test notice").focus()
    page.keyboard.type("Back <b>soon</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Back <b>soon</b>")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#done")).to_have_text("Done: heard by 1 channel server.")
    assert visitor.next_event() == ("notice", "Back <b>soon</b>")
    assert page.complaints == []


def test_what_is_refused_is_said(server, page):
    page.goto(f"{server.admin}/admin")
    page.get_by_label("Disconnect a user").fill("9" * 65)
    page.get_by_role("button", name="Disconnect").click()
    page.get_by_role("button", name="Yes, do it").click()

    expect(page.locator("#done")).to_contain_text("Not done: user_id must be a whole number")


def test_it_shows_no_token_and_no_words_of_messages(server, page):
    account = server.crowd.enter(user_id=1, group_ids=(7,))
    server.publisher.publish_records({"comments": [{"id": 1, "body": "a secret"}]}, group_id=7)
    assert account.next_event()[0] == "records"
    page.goto(f"{server.admin}/admin")
    expect(number(page, "Clients")).to_have_text("1")

    shown = page.content()

    assert account.token not in shown
    assert "a secret" not in shown
    assert not TOKEN.search(page.locator("body").inner_text())


def test_the_password_is_asked_for_and_wrong_ones_are_throttled(locked, page):
    page.goto(f"{locked.admin}/admin")
    expect(page.locator("#status")).to_have_count(0)
    for _ in range(5):
        page.get_by_label("Password").fill("wrong password")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_have_text("That is not the password.")

    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_have_text("Too many wrong passwords: wait a minute.")


def test_who_knows_the_password_gets_in_and_out(locked, page):
    page.goto(f"{locked.admin}/admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("ok")
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")

    page.get_by_role("button", name="Log out").click()

    expect(page.get_by_label("Password")).to_be_visible()
    assert page.request.get(f"{locked.admin}/api/info").status == 401


def test_a_foreign_page_can_neither_frame_it_nor_act(server, page, tmp_path):
    """Clickjacking, and forms that another site sends to this machine."""
    victim = server.crowd.enter()
    tmp_path.joinpath("index.html").write_text(
        f'<iframe id="framed" src="{server.admin}/admin"></iframe>'
    )
    with server.crowd.web_server(tmp_path) as elsewhere:
        page.goto(f"{server.admin}/admin")  # the browser has a session
        expect(page.locator("#status")).to_have_text("ok")
        page.goto(elsewhere)
        outcomes = page.evaluate(
            """async (admin) => {
              const send = (type) => fetch(`${admin}/api/notice`, {
                method: "POST", mode: "no-cors", credentials: "include",
                headers: {"Content-Type": type}, body: '{"text":"forged"}',
              }).then((response) => response.type, (error) => String(error.name));
              const read = await fetch(`${admin}/api/info`, {credentials: "include"})
                .then(() => "read", (error) => String(error.name));
              return [await send("text/plain"), await send("application/json"), read];
            }""",
            server.admin,
        )
        frame = page.frames[1]

        assert "read" not in outcomes
        assert "channel_server" not in frame.content()
    server.publisher.publish_system_notice("real")
    assert victim.next_event() == ("notice", "real")


def test_it_says_when_the_server_is_gone(server, page):
    page.goto(f"{server.admin}/admin")
    expect(page.locator("#status")).to_have_text("ok")

    stop(server.started.process)

    expect(page.locator("#status")).to_have_text("the server does not answer", timeout=15_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_on_a_phone_in_either_light(server, page, scheme):
    server.crowd.enter(user_id=1, group_ids=(7,))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{server.admin}/admin")
    expect(number(page, "Clients")).to_have_text("1")

    width = page.evaluate("document.documentElement.scrollWidth")
    ground, ink = page.evaluate(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
    )

    assert width <= 360
    brightness = [sum(map(int, re.findall(r"\d+", colour)[:3])) for colour in (ground, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")


@pytest.mark.timeout(150)
def test_picture_for_the_readme(server, page):
    """Draws docs/dashboard.png anew if DRAW is set; else it is only looked at here."""
    for user_id in range(1, 31):
        server.crowd.enter(user_id=user_id, group_ids=(user_id % 5 + 1, user_id % 3 + 10))
    page.set_viewport_size({"width": 1200, "height": 1000})
    page.goto(f"{server.admin}/admin")
    with server.crowd.busy(group_id=2):
        line = page.get_by_role("img", name="Deliveries").locator("path").nth(1)
        points = 60 if os.environ.get("DRAW") else 3
        while (line.get_attribute("d") or "").count("L") < points:
            page.wait_for_event("requestfinished")
        picture = page.screenshot()

    assert picture.startswith(b"\x89PNG")
    assert SCREENSHOT.is_file() or os.environ.get("DRAW")
    if os.environ.get("DRAW"):
        SCREENSHOT.write_bytes(picture)


def test_metrics_move_with_what_happens(server):
    """The same numbers as on the page, for Prometheus."""
    client = server.crowd.enter(user_id=1, group_ids=(7,))
    server.publisher.publish_records({"comments": [{"id": 1}]}, group_id=7)
    assert client.next_event()[0] == "records"

    with urllib.request.urlopen(f"{server.admin}/metrics", timeout=5) as answer:
        text = answer.read().decode()

    assert 'channel_server_messages_total{channel="/records"} 1.0' in text
    assert "channel_server_deliveries_total 1.0" in text
    assert 'channel_server_connections{kind="user",transport="websocket"} 1.0' in text
    assert "channel_server_intake_lag_seconds_count 1.0" in text
