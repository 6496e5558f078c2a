"""The routes of the demo page over real HTTP, with a publisher that keeps what it is told."""

import re
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from aiohttp import web

from channel_server.web.demo import Demo, DemoUser
from channel_server.web.demo.files import STATIC
from channel_server.web.demo.intake import BODY_MAX

pytestmark = pytest.mark.asyncio

ANN = DemoUser(id=1, name="Ann", group_ids=(1, 2), token="ann-token")
BEN = DemoUser(id=2, name="Ben", group_ids=(2, 3), token="ben-token")
HELLO = {"kind": "records", "group_id": 2, "user_id": None, "text": "hello"}


class Recorder:
    """A publisher that reaches three channel servers."""

    def __init__(self):
        self.records = []
        self.notices = []

    async def publish_records(self, records, *, group_id=None, user_id=None, to_nobody=False):
        assert to_nobody is (group_id is None and user_id is None)
        self.records.append((records, group_id, user_id))
        return 3

    async def publish_system_notice(self, notice, *, version=None, reload=False):
        self.notices.append((notice, version, reload))
        return 3


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def client_js(tmp_path):
    """A dist folder as npm leaves it."""
    folder = tmp_path / "dist"
    folder.mkdir()
    for name in ("socket.io.js", "socket.io.min.js"):
        (folder / name).write_text(f"// {name}")
    return folder


@pytest_asyncio.fixture
async def client(aiohttp_client, recorder, client_js):
    app = web.Application()
    demo = Demo(
        publish=recorder,
        client_js=client_js,
        users=(ANN, BEN),
        now=lambda: datetime(2026, 1, 15, tzinfo=UTC),
    )
    demo.add_routes(app)
    return await aiohttp_client(app)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/", "text/html"),
        ("/demo/demo.css", "text/css"),
        ("/demo/demo.js", "text/javascript"),
        ("/demo/icon.svg", "image/svg+xml"),
        ("/socket.io/socket.io.js", "text/javascript"),
        ("/socket.io/socket.io.min.js", "text/javascript"),
        ("/demo/users", "application/json"),
    ],
)
async def test_every_answer_forbids_what_comes_from_elsewhere(client, path, content_type):
    """A module script with another type than JavaScript would not run at all."""
    response = await client.get(path)

    assert response.status == 200
    assert response.content_type == content_type
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_page_names_only_files_that_are_there(client):
    """A renamed script would leave a page that silently does nothing."""
    page = await (await client.get("/")).text()
    scripts = "".join(path.read_text() for path in STATIC.glob("*.js"))

    named = re.findall(r'(?:src|href)="(/[^"]+)"', page)
    imported = re.findall(r'from "\./([^"]+)"', scripts)

    assert len(named) >= 4
    assert len(imported) >= 4
    for path in [*named, *(f"/demo/{name}" for name in imported)]:
        assert (await client.head(path)).status == 200, path


async def test_files_beside_the_page_stay_private(client):
    """Only the listed files are served, however the path is spelled."""
    for path in ("/demo/routes.py", "/demo/..%2froutes.py", "/demo/", "/socket.io/package.json"):
        assert (await client.get(path)).status == 404, path


async def test_the_sample_users_are_listed_with_their_tokens(client):
    response = await client.get("/demo/users")

    assert await response.json() == [
        {"id": 1, "name": "Ann", "group_ids": [1, 2], "token": "ann-token"},
        {"id": 2, "name": "Ben", "group_ids": [2, 3], "token": "ben-token"},
    ]
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_missing_client_script_is_one_line_that_says_what_to_do(client, client_js):
    """And once it is installed, the page works without a restart."""
    script = client_js / "socket.io.min.js"
    content = script.read_text()
    script.unlink()

    missing = await client.get("/socket.io/socket.io.min.js")
    script.write_text(content)
    installed = await client.get("/socket.io/socket.io.min.js")

    assert missing.status == 503
    assert missing.content_type == "text/plain"
    assert "make run" in await missing.text()
    assert (await missing.text()).count("\n") == 1
    assert installed.status == 200
    assert await installed.text() == content


@pytest.mark.parametrize(("group_id", "user_id"), [(2, None), (None, 1), (None, None)])
async def test_records_are_published_where_the_form_says(client, recorder, group_id, user_id):
    order = {"kind": "records", "group_id": group_id, "user_id": user_id, "text": "grüße 👋"}

    response = await client.post("/demo/publish", json=order)

    assert (response.status, await response.json()) == (200, {"subscribers": 3})
    ((records, to_group, to_user),) = recorder.records
    assert (to_group, to_user) == (group_id, user_id)
    assert records["comments"][0]["body"] == "grüße 👋"
    assert records["events"][0]["created_at"] == "2026-01-15T00:00:00.000Z"


async def test_no_two_records_have_the_same_id(client, recorder):
    """Loomio's store replaces a record by a later one with the same id."""
    for _ in range(3):
        await client.post("/demo/publish", json=HELLO)

    assert [records["comments"][0]["id"] for records, _, _ in recorder.records] == [1, 2, 3]


async def test_a_notice_goes_to_everybody(client, recorder):
    response = await client.post(
        "/demo/publish", json={"kind": "notice", "text": "soon", "reload": True}
    )

    assert await response.json() == {"subscribers": 3}
    assert recorder.notices == [("soon", None, True)]


async def test_a_bad_order_gets_400_and_the_reason(client, recorder):
    response = await client.post("/demo/publish", json=HELLO | {"group_id": "2"})

    assert response.status == 400
    assert "group_id" in (await response.json())["error"]
    assert recorder.records == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_another_sites_page_may_not_publish(client, recorder, headers):
    """Any page that the developer visits can send a POST to localhost."""
    response = await client.post("/demo/publish", json=HELLO, headers=headers)

    assert response.status == 403
    assert recorder.records == []


async def test_our_own_page_may_publish(client):
    """With the headers that Chromium sends."""
    origin = str(client.make_url("/")).rstrip("/")
    headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}

    response = await client.post("/demo/publish", json=HELLO, headers=headers)

    assert response.status == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
async def test_only_json_is_read(client, recorder, content_type):
    """The types that a foreign page may send without asking first."""
    response = await client.post(
        "/demo/publish", data=b"{}", headers={"Content-Type": content_type}
    )

    assert response.status == 415
    assert recorder.records == []


async def test_a_body_above_64_kb_is_refused(client, recorder):
    """Also when its length is not announced."""

    async def chunks():
        yield b" " * BODY_MAX
        yield b"{}"

    response = await client.post(
        "/demo/publish", data=chunks(), headers={"Content-Type": "application/json"}
    )

    assert response.status == 413
    assert str(BODY_MAX) in (await response.json())["error"]
    assert recorder.records == []
