"""The HTTP API: what it answers, and what it refuses."""

import asyncio
import json
import time
from urllib.parse import quote

import pytest

from publisher import Publisher
from tests.integration.pages import pages_of
from tests.integration.program import until
from tests.integration.site import Site, new_id
from tests.internal.site import KEY, PASSWORD, Server
from tests.servers import wait_until

pytestmark = [pytest.mark.redis]

MUCH = b"x" * (1024 * 1024 + 1)
PUBLISH = "/api/groups/1/publish"
UUID = "3f2a8c1e-0b7d-4e55-9a51-6f1f5f0c2d11"
DEEP = b'{"records":' + b"[" * 100_000


def user_of(account):
    return int(account.room.removeprefix("user-"))


@pytest.fixture
def site(redis_server):
    with redis_server.client() as redis:
        yield Site(redis)


def test_info_says_how_the_server_is(server):
    answer = server.ask("/api/info", key=KEY)

    assert answer.status == 200
    assert answer.body["status"] == "ok"
    assert answer.body["node"] in answer.body["nodes"]
    assert answer.body["journal"] == "redis"
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.asyncio
async def test_who_is_here(server, site):
    account = site.sign_in()
    user_id = user_of(account)
    async with pages_of(server.port) as pages:
        await pages.enter(account.token)
        await pages.enter(account.token)

        user = server.ask(f"/api/users/{user_id}", key=KEY).body
        room = server.ask(f"/api/rooms/{account.room}", key=KEY).body
        rooms = server.ask(f"/api/rooms?search={account.room}&limit=1", key=KEY).body

    assert user == {"user_id": user_id, "is_online": True, "clients": 2}
    assert room == {"name": account.room, "clients": 2}
    assert rooms["rooms"] == [room]


def test_nobody_is_there(server):
    assert server.ask("/api/users/999999", key=KEY).body["is_online"] is False
    assert server.ask("/api/rooms/group-999999", key=KEY).body["clients"] == 0


@pytest.mark.asyncio
async def test_what_is_published_arrives_and_is_in_the_journal(server, site):
    group_id = new_id()
    account = site.sign_in(group_id)
    records = {"comments": [{"id": 1, "body": "h\u00e9"}]}
    async with pages_of(server.port) as pages:
        page = await pages.enter(account.token)
        before = server.ask("/api/journal", key=KEY).body
        sent = server.ask(f"/api/groups/{group_id}/publish", "POST", {"records": records}, key=KEY)
        noticed = server.ask("/api/notice", "POST", {"text": "soon", "reload": True}, key=KEY)

        first, second = [json.loads(packet[2:])[:2] for packet in await page.got(2)]

    assert (sent.status, noticed.status) == (200, 200)
    assert sent.body == noticed.body == {"receivers": 1}
    assert first == ["records", {"room": f"group-{group_id}", "records": records}]
    assert second == ["notice", {"version": None, "notice": "soon", "reload": True}]
    assert server.ask("/api/journal", key=KEY).body["entries"] == before["entries"] + 2


@pytest.mark.asyncio
async def test_users_are_moved_and_hung_up(server, site):
    account = site.sign_in()
    async with pages_of(server.port) as pages:
        page = await pages.enter(account.token)
        path = f"/api/users/{user_of(account)}"

        moved = server.ask(f"{path}/groups", "PUT", {"group_ids": [4242]}, key=KEY)
        # This token was stored by Rails, which keeps no list of a user's tokens.
        assert (moved.status, moved.body) == (200, {"tokens": 0})
        await until(
            lambda: server.ask("/api/rooms/group-4242", key=KEY).body["clients"] == 1, "it moved"
        )
        assert server.ask(f"{path}/disconnect", "POST", key=KEY).status == 200
        await page.closed()


@pytest.mark.asyncio
async def test_ids_may_be_texts(server, redis_server):
    with Publisher.from_url(redis_server.url) as publisher:
        user = {"id": UUID, "name": "Ann"}
        token = await asyncio.to_thread(publisher.tokens.issue, user, group_ids=["team:1"])
    records = {"comments": [{"id": 1}]}
    async with pages_of(server.port) as pages:
        page = await pages.enter(token)
        path = f"/api/users/{UUID}"

        found = server.ask(path, key=KEY).body
        for receiver in (path, "/api/groups/team:1"):
            sent = server.ask(f"{receiver}/publish", "POST", {"records": records}, key=KEY)
            assert sent.status == 200
        rooms = [json.loads(packet[2:])[1]["room"] for packet in await page.got(2)]
        moved = server.ask(f"{path}/groups", "PUT", {"group_ids": ["team:2", 3]}, key=KEY)
        assert server.ask(f"{path}/disconnect", "POST", key=KEY).status == 200
        await page.closed()

    assert found == {"user_id": UUID, "is_online": True, "clients": 1}
    assert rooms == [f"user-{UUID}", "group-team:1"]
    assert (moved.status, moved.body) == (200, {"tokens": 1})


@pytest.mark.parametrize(
    ("path", "user_id"), [("7", 7), ("0", 0), ("-7", -7), ("007", "007"), ("7a", "7a")]
)
def test_digits_are_a_number(server, path, user_id):
    assert server.ask(f"/api/users/{path}", key=KEY).body["user_id"] == user_id


@pytest.mark.parametrize("group_ids", [[True], [1.5], [""], ["a b"], ["7\n"], [2**64], [None]])
def test_what_is_no_id_of_a_group_is_refused(server, group_ids):
    assert (
        server.ask("/api/users/7/groups", "PUT", {"group_ids": group_ids}, key=KEY).status == 400
    )


def test_the_last_minutes_are_samples_of_totals(server):
    def samples():
        return server.ask("/api/history", key=KEY).body["samples"]

    wait_until(lambda: len(samples()) >= 2, within_s=10, what="two seconds have been looked at")

    assert all(
        {"at_s", "clients", "messages", "deliveries", "loop_lag_s"} <= each.keys()
        for each in samples()
    )


@pytest.mark.asyncio
async def test_drain_is_as_sigterm(redis_server, tmp_path):
    settings = {"ADMIN_API_KEY": KEY, "DRAIN_DELAY_SECONDS": "1"}
    with Server(tmp_path, REDIS_URL=redis_server.url, **settings) as server:
        server.wait_ready()
        async with pages_of(server.port) as pages:
            await pages.enter(None)
            asked_at_s = time.monotonic()

            answers = [server.ask("/api/drain", "POST", key=KEY) for _ in range(2)]

            assert [answer.body for answer in answers] == [{"clients": 1}] * 2
            assert server.process.wait(15) == 0
            # To ask again does not hurry: only a second signal does.
            assert time.monotonic() - asked_at_s >= 1
        assert server.lines("draining")


# ── who may ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"key": ""},
        {"Authorization": KEY},
        {"Authorization": f"Basic {KEY}"},
    ],
)
def test_without_the_key_there_is_nothing(redis_server, tmp_path, headers):
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as server:
        for path, method in (("/api/info", "GET"), ("/api/drain", "POST"), ("/api/x", "GET")):
            answer = server.ask(path, method, **headers)

            assert answer.status == 401
            assert set(answer.body) == {"error"}
            assert KEY not in json.dumps(answer.body)


@pytest.mark.parametrize("value", ["", "guessed", "x" * 4000])
def test_a_session_that_nobody_has_begun_is_none(redis_server, tmp_path, value):
    settings = {"ADMIN_API_KEY": KEY, "ADMIN_PASSWORD": PASSWORD}
    with Server(tmp_path, REDIS_URL=redis_server.url, **settings) as server:
        begun = server.log_in(PASSWORD).headers["Set-Cookie"].partition(";")[0]

        assert server.ask("/api/info", Cookie=begun).status == 200
        name = begun.partition("=")[0]
        assert server.ask("/api/info", Cookie=f"{name}={value}").status == 401


def test_who_guesses_has_to_wait_and_who_has_the_key_does_not(redis_server, tmp_path):
    """Else a stranger could keep the operator out. The flood is not logged line by line."""
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as server:
        guesses = [server.ask("/api/info", key=f"guess-{n}") for n in range(200)]

        assert [guess.status for guess in guesses] == [401] * 5 + [429] * 195
        assert guesses[-1].headers["Retry-After"] == "60"
        assert server.ask("/api/info", key=KEY).status == 200
        assert "guess" not in server.output()


def test_with_a_key_the_dashboard_of_this_machine_asks_for_it(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as server:
        page = server.ask("/admin")

        assert "Log in" in page.body
        assert "Set-Cookie" not in page.headers


def test_on_this_machine_no_key_is_needed_if_there_is_none(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url) as server:
        assert server.ask("/api/info").status == 200
        # A page whose host name was made to mean 127.0.0.1 (DNS rebinding), and other sites' pages:
        assert server.ask("/api/info", Host="evil.example").status == 403
        assert server.ask("/admin", Host="evil.example").status == 403
        assert server.ask("/api/info", Sec_Fetch_Site="cross-site").status == 403
        # A proxy on this machine that lets strangers in:
        answer = server.ask("/api/info", X_Forwarded_For="203.0.113.9")
        assert (answer.status, "set ADMIN_PASSWORD" in answer.body["error"]) == (403, True)
        assert server.ask("/admin", Forwarded="for=203.0.113.9").status == 403
        forged = {"Origin": "http://evil.example", "Content-Type": "application/json"}
        assert server.ask("/api/notice", "POST", {"text": "forged"}, **forged).status == 403


def test_a_password_is_enough_to_close_the_api_for_programs(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_PASSWORD=PASSWORD) as server:
        assert server.ask("/api/info").status == 401


def test_off_this_machine_nothing_is_open_without_secrets(redis_server, tmp_path):
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_HOST="0.0.0.0") as server:
        assert server.ask("/api/info").status == 401
        assert server.ask("/admin").status == 404
        assert server.ask("/metrics").status == 200
        assert server.ask("/ready").status in {200, 503}


# ── bad input ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param(PUBLISH, MUCH, 413, id="too long"),
        pytest.param(PUBLISH, b"{", 400, id="no JSON"),
        pytest.param(PUBLISH, b"\xff\xfe", 400, id="no UTF-8"),
        pytest.param(PUBLISH, DEEP, 400, id="too deep"),
        pytest.param(PUBLISH, b"", 400, id="nothing"),
        pytest.param(PUBLISH, b"[]", 400, id="no object"),
        pytest.param(PUBLISH, b'{"records":{}}', 400, id="no records"),
        pytest.param(PUBLISH, b'{"records":{"a":[]},"x":1}', 400, id="a field too many"),
        pytest.param(PUBLISH, b'{"records":{"a":NaN}}', 400, id="NaN"),
        pytest.param(PUBLISH, b'{"records":{"a":1e999}}', 400, id="beyond a float"),
        pytest.param(PUBLISH, b'{"records":{"a":"\\ud800"}}', 400, id="half a character"),
        pytest.param("/api/groups/a b/publish", b'{"records":{"a":[]}}', 400, id="no group"),
        pytest.param("/api/notice", b'{"text":7}', 400, id="a number for a text"),
        pytest.param("/api/notice", b'{"text":"%b"}' % (b"x" * 10_001), 400, id="a long notice"),
        pytest.param("/api/users/7%0A/disconnect", b"", 400, id="no user"),
        pytest.param(f"/api/users/{'a' * 65}/disconnect", b"", 400, id="a long text"),
        pytest.param(f"/api/users/{'9' * 5000}/disconnect", b"", 400, id="an endless number"),
        pytest.param("/api/users/\u0661/disconnect", b"", 400, id="an Arabic digit"),
        pytest.param("/api/users/../info", b"", 404, id="a way up"),
        pytest.param("/api/nothing", b"", 404, id="no such path"),
        pytest.param("/api/info", b"", 405, id="the wrong method"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(server, path, body, status):
    answer = server.ask(
        quote(path, safe="/"), "POST", body, key=KEY, Content_Type="application/json"
    )

    assert answer.status == status
    assert set(answer.body) == {"error"}
    assert len(answer.body["error"]) < 300
    assert server.ask("/api/info", key=KEY).status == 200


def test_the_body_must_say_what_it_is(server):
    """A form, or plain text, is what another site's page may send without asking."""
    answer = server.ask("/api/notice", "POST", b'{"text":"x"}', key=KEY, Content_Type="text/plain")

    assert answer.status == 415


def test_redis_that_is_away_is_said(new_redis_server, tmp_path):
    redis_server = new_redis_server()
    with Server(tmp_path, REDIS_URL=redis_server.url, ADMIN_API_KEY=KEY) as server:
        server.wait_ready()
        redis_server.stop()

        answer = server.ask("/api/notice", "POST", {"text": "x"}, key=KEY)
        info = server.ask("/api/info", key=KEY)

        assert answer.status == 503
        assert redis_server.url not in json.dumps(answer.body)
        assert info.status == 200
        assert info.body["nodes"] == [info.body["node"]]


def test_all_nodes_of_a_journal_are_named(new_redis_server, tmp_path):
    redis_server = new_redis_server()
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    with (
        Server(folders[0], REDIS_URL=redis_server.url) as one,
        Server(folders[1], REDIS_URL=redis_server.url) as two,
    ):
        one.wait_ready()
        two.wait_ready()

        nodes = one.ask("/api/info").body["nodes"]

        assert len(nodes) == 2
        assert two.ask("/api/info").body["node"] in nodes


def test_the_application_hears_the_same_library(redis_server, server):
    """What the API publishes, and what the application publishes, is one stream."""
    before = server.ask("/api/journal", key=KEY).body["offset"]
    with Publisher.from_url(redis_server.url) as publisher:
        publisher.publish_system_notice("x")
    server.ask("/api/notice", "POST", {"text": "y"}, key=KEY)

    after = server.ask("/api/journal", key=KEY).body

    assert after["epoch"] == before.partition(":")[0]
    assert after["offset"] > before
    assert after["is_complete"]
