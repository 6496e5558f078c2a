"""The demo page in Chromium: two people, and who receives what."""

import re
import signal

import pytest
from playwright.sync_api import expect

from tests.ports import free_port
from tests.servers import start_channel_server, stop

pytestmark = [pytest.mark.browser, pytest.mark.redis]


@pytest.fixture(scope="module")
def server_url():
    started = start_channel_server({}, "dev")
    yield started.url
    stop(started.process)


class Tab:
    """The demo page as one person, freshly loaded.

    Attributes:
        page: Playwright's page.
        errors: What the browser's console complained about.
    """

    def __init__(self, page, url):
        self.page = page
        self.errors = []
        page.on("console", self._note)
        page.goto(url)

    def _note(self, line):
        if line.type == "error":
            self.errors.append(line.text)

    def leave(self):
        """Stop listening, so that the page can be loaded again as another tab."""
        self.page.remove_listener("console", self._note)

    def see(self, test_id):
        return self.page.get_by_test_id(test_id)

    def is_connected(self):
        expect(self.see("state")).to_have_text("connected")
        expect(self.see("transport")).to_have_text("polling → websocket")

    def publish(self, target, text):
        """Send the form, and wait until the server has answered."""
        self.see(f"to-{target}").check()
        self.see("text").fill(text)
        self.see("publish").click()
        expect(self.see("published")).to_have_attribute("data-outcome", target)

    def has_received(self, *texts):
        """Wait until the newest text is there; then the feed is these texts, newest first."""
        expect(self.see("entry-text").first).to_have_text(texts[-1])
        assert self.see("entry-text").all_text_contents() == list(reversed(texts))


@pytest.fixture(scope="module")
def pages(browser):
    """One page for each person, to be loaded again by each test: a new one takes a second.

    Each in a window of its own, because Chromium slows tabs down that are behind others.
    """
    contexts = [browser.new_context() for _ in range(3)]
    yield [context.new_page() for context in contexts]
    for context in contexts:
        context.close()


@pytest.fixture
def open_tab(pages, server_url):
    """Open the page as a user. At the end, no tab may have complained about anything."""
    tabs = []

    def open_as(user_id):
        tabs.append(Tab(pages[user_id], f"{server_url}/?user={user_id}"))
        return tabs[-1]

    yield open_as
    for tab in tabs:
        tab.leave()
    assert [error for tab in tabs for error in tab.errors] == []


@pytest.fixture
def ann(open_tab):
    tab = open_tab(1)
    tab.is_connected()
    return tab


@pytest.fixture
def ben(open_tab):
    tab = open_tab(2)
    tab.is_connected()
    return tab


def test_the_page_shows_the_connection_and_its_upgrade(ann):
    """Person, transport, socket and rooms are what a reader wants to see first."""
    expect(ann.page).to_have_title("Ann · channel server demo")
    expect(ann.see("transport")).to_have_text("polling → websocket")
    expect(ann.see("socket-id")).to_have_text(re.compile(r"^\S{8,}$"))
    expect(ann.see("session")).to_have_text("new")
    assert ann.see("rooms").locator("li").all_text_contents() == [
        "notice",
        "user-1",
        "group-1",
        "group-2",
    ]


@pytest.mark.parametrize(
    ("target", "ann_receives", "ben_receives"),
    [
        ("group-2", True, True),
        ("group-1", True, False),
        ("group-3", False, True),
        ("user-1", True, False),
        ("user-2", False, True),
        ("nobody", False, False),
    ],
)
def test_records_reach_exactly_the_members_of_the_room(
    ann, ben, target, ann_receives, ben_receives
):
    """A notice to everybody follows: once it is there, what is missing will not come any more."""
    ann.publish(target, "for some")
    ann.publish("notice", "for all")

    ann.has_received(*["for some"] * ann_receives, "for all")
    ben.has_received(*["for some"] * ben_receives, "for all")


def test_a_visitor_receives_notices_and_no_records(open_tab, ann):
    """The token of a visitor is null, as in Loomio."""
    visitor = open_tab(0)
    visitor.is_connected()

    visitor.publish("group-1", "for the group")
    visitor.publish("notice", "for all")

    visitor.has_received("for all")
    ann.has_received("for the group", "for all")


def test_text_is_shown_as_it_is_and_never_as_html(ann):
    """The feed shows what other people write."""
    text = "<img src=x onerror=alert(1)> & grüße 👋 &lt;"

    ann.publish("user-1", text)

    ann.has_received(text)
    ann.page.get_by_text("JSON").click()
    expect(ann.see("feed").locator("pre")).to_contain_text('"room": "user-1"')
    expect(ann.see("feed").locator("img")).to_have_count(0)


def test_the_form_says_who_should_receive_what_was_published(ann):
    ann.publish("group-2", "hello")
    expect(ann.see("published")).to_contain_text("room: group-2")
    expect(ann.see("published")).to_contain_text("received by: Ann and Ben")

    ann.publish("nobody", "hello")
    expect(ann.see("published")).to_contain_text("room: null")
    expect(ann.see("published")).to_contain_text("received by: nobody")


def test_everything_works_with_the_keyboard(ann):
    """Arrow keys choose the group, Enter in the text publishes."""
    ann.see("to-group-1").focus()
    ann.page.keyboard.press("ArrowDown")
    expect(ann.see("to-group-2")).to_be_checked()
    ann.see("text").fill("typed")
    ann.page.keyboard.press("Enter")

    ann.has_received("typed")
    expect(ann.see("publish")).to_be_focused()


def test_another_tab_opens_as_the_other_person(ann):
    with ann.page.expect_popup() as popup:
        ann.see("open-other").click()

    expect(popup.value).to_have_title("Ben · channel server demo")
    popup.value.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_page_fits_phones_and_desktops(ann, width):
    """Nothing sticks out to the right, not even a long word or its JSON."""
    ann.page.set_viewport_size({"width": width, "height": 700})
    ann.publish("user-1", "x" * 400)
    ann.has_received("x" * 400)
    ann.page.get_by_text("JSON").click()

    assert ann.page.evaluate("document.documentElement.scrollWidth") <= width
    ann.page.set_viewport_size({"width": 1280, "height": 720})


def test_the_feed_keeps_the_newest_200_events(ann, server_url):
    """A tab that stays open for days must not grow for days."""
    for number in range(205):
        ann.page.request.post(
            f"{server_url}/demo/publish",
            data={"kind": "records", "user_id": 1, "text": str(number)},
        )

    expect(ann.see("entry-text").first).to_have_text("204")
    texts = ann.see("entry-text").all_text_contents()
    assert texts == [str(number) for number in range(204, 4, -1)]


def test_a_missing_client_script_is_explained_on_the_page(browser, server_url):
    """The page's own words for the 503 that the server answers where the client is missing."""
    line = "The Socket.IO client is not in this installation: `make run` has it."
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/socket.io/*.js", lambda route: route.fulfill(status=503, body=line))
        page.goto(server_url)

        expect(page.get_by_test_id("problem")).to_have_text(line)
        expect(page.get_by_test_id("state")).to_have_text("not connected")


@pytest.fixture
def start_server():
    """Start servers for this test only: ``start_server(PORT="5000")``."""
    processes = []

    def start(**env):
        started = start_channel_server(env, "dev")
        processes.append(started.process)
        return started

    yield start
    for process in processes:
        stop(process)


def test_ctrl_c_ends_the_server_cleanly_while_a_tab_is_open(browser, start_server):
    """Exit code 0, and the page says that the connection is lost and tries again."""
    started = start_server()
    with browser.new_context() as context:
        tab = Tab(context.new_page(), started.url)
        tab.is_connected()

        code = stop(started.process, signal.SIGINT)

        assert code == 0
        expect(tab.see("state")).to_contain_text("trying again")


@pytest.mark.slow
def test_a_tab_that_outlived_its_server_says_that_it_must_be_reloaded(browser, start_server):
    """A new server has a new Redis: the old token is unknown, and the tab is a visitor there."""
    port = str(free_port())
    first = start_server(PORT=port)
    with browser.new_context() as context:
        tab = Tab(context.new_page(), first.url)
        tab.is_connected()

        stop(first.process, signal.SIGINT)
        expect(tab.see("state")).not_to_have_text("connected")
        start_server(PORT=port)

        expect(tab.see("problem")).to_contain_text("reload", timeout=15_000)
