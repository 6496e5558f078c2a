"""Two people write in Chromium: Loomio's editor, and nothing of it is told about our server."""

import functools
import http.server
import subprocess
import threading
from urllib.parse import urlencode

import pytest
from playwright.sync_api import TimeoutError  # noqa: A004 - playwright's is not Python's

from tests.collab.servers import JS, Application, Ours, Reference

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.timeout(120)]

PAGE = '<!doctype html><meta charset="utf-8"><body><div id="editor"></div><script src="page.js"></script>'
EDITOR = "#editor .ProseMirror"
CARET = ".collaboration-carets__caret"
INITIAL = "<p>Text of the model 😀</p>"
WITHIN_MS = 20_000
STATE = (
    "({...document.body.dataset, synced: provider.isSynced, unsynced: provider.unsyncedChanges})"
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Base address of the page."""
    folder = tmp_path_factory.mktemp("page")
    esbuild = JS / "node_modules/.bin/esbuild"
    source = JS / "collab/page.mjs"
    command = [esbuild, source, "--bundle", f"--outfile={folder}/page.js", "--log-level=error"]
    subprocess.run(command, check=True)
    (folder / "page.html").write_text(PAGE)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=folder)
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/page.html"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(params=["ours", "the reference"])
def server(request, tmp_path):
    """Ours, and the real one: what works with one has to work with the other."""
    with Application() as application:
        kinds = {
            "ours": lambda: Ours(tmp_path, application),
            "the reference": lambda: Reference(application),
        }
        with kinds[request.param]() as server:
            yield server


@pytest.fixture
def people(browser, site, server):
    """Opens the editor for one person after the other, each in a browser profile of its own."""
    contexts, errors = [], []

    def person(user):
        context = browser.new_context()
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WITHIN_MS)
        page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 - playwright wants a function
        query = {"url": server.url, "name": "comment-1-body", "user": user, "initial": INITIAL}
        page.goto(f"{site}?{urlencode(query)}")
        page.wait_for_selector("body[data-synced=yes]")
        return page

    yield person
    for context in contexts:
        context.close()
    assert errors == []


def text(page):
    return page.evaluate("window.editor.getText()")


def wait_for_text(page, *parts):
    """Wait until the text has all of its parts; carets of others are no text."""
    try:
        page.wait_for_function(
            "parts => parts.every(part => window.editor.getText().includes(part))",
            arg=list(parts),
        )
    except TimeoutError:
        pytest.fail(f"{text(page)!r} has not all of {parts}: {page.evaluate(STATE)}")


def same_text(*pages):
    first, *others = pages
    for other in others:
        other.wait_for_function("text => window.editor.getText() === text", arg=text(first))
    return text(first)


def focus(page, where):
    """Put the caret at the start or the end; Tiptap does that with the next frame."""
    page.evaluate(
        """where => {
          window.editor.commands.focus(where);
          return new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
        }""",
        where,
    )


def type_at_end(page, words):
    focus(page, "end")
    page.keyboard.type(words)


def test_two_people_type_at_once_and_a_third_comes_late(people):
    ann = people(1)
    wait_for_text(ann, "Text of the model 😀")
    ben = people(2)
    wait_for_text(ben, "Text of the model 😀")
    focus(ann, "start")
    focus(ben, "end")

    for mine, other in zip("Ann 😀 writes ", "Ben 👩‍👩‍👧 too ", strict=False):
        ann.keyboard.insert_text(mine)
        ben.keyboard.insert_text(other)
    wait_for_text(ann, "Ben")
    cem = people(3)

    everything = same_text(ann, ben, cem)
    assert everything.count("Text of the model 😀") == 1
    assert everything.startswith("Ann 😀 writes")
    assert "\ufffd" not in everything
    cem.wait_for_selector(CARET)
    ann.wait_for_function("document.querySelectorAll('.collaboration-carets__label').length === 1")


def test_what_is_typed_while_the_server_restarts_is_not_lost(people, server):
    ann, ben = people(1), people(2)
    type_at_end(ann, " before")
    wait_for_text(ben, "before")
    server.stop()
    for page in (ann, ben):
        page.wait_for_function("document.body.dataset.status !== 'connected'")

    type_at_end(ann, " Ann-offline")
    focus(ben, "start")
    ben.keyboard.type("Ben-offline ")
    server.start()
    wait_for_text(ann, "Ben-offline", "Ann-offline")
    wait_for_text(ben, "Ben-offline", "Ann-offline")

    everything = same_text(ann, ben)
    assert everything.count("Text of the model 😀") == 1
    assert everything.count("before") == 1


def test_draft_is_there_again_when_everybody_had_left(people):
    ann = people(1)
    type_at_end(ann, " and a draft")
    ann.wait_for_function("!window.provider.hasUnsyncedChanges")
    ann.context.close()

    ben = people(2)

    wait_for_text(ben, "Text of the model 😀 and a draft")
    assert text(ben).count("Text of the model") == 1
