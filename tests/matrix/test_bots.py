"""Bots and homeservers that behave badly: what arrives, what is given up, and who notices."""

import asyncio
import json

import pytest

from tests.integration.program import until
from tests.matrix.homeserver import accept_and_cut, answering, babble, cut, hang
from tests.matrix.relay import Relay, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]
TOKEN = "syt_c2VjcmV0_token"
ROOM = "!room:fake"


def config(server, *, token=TOKEN, room=ROOM):
    return {"server": server, "access_token": token, "channel": room}


@pytest.fixture
def relay(redis, tmp_path):
    with Relay(tmp_path, redis) as relay:
        yield relay


def arrived(fake, *bodies):
    return until(lambda: fake.bodies == list(bodies), f"the bodies {bodies}, not {fake.bodies}")


# ── what is sent ────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("relay")
async def test_a_test_message_is_a_notice(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "It works")
    await arrived(fake, "It works")
    assert fake.events == [(ROOM, {"msgtype": "m.notice", "body": "It works"})]
    (asked,) = fake.asked
    assert asked.token == TOKEN
    assert asked.path.startswith("/_matrix/client/v3/rooms/%21room%3Afake/send/m.room.message/")
    await until(lambda: waiting(redis) == 0, "an empty outbox")


@pytest.mark.usefixtures("relay")
async def test_html_is_sent_with_its_text(publisher, fake):
    html = '<h1>News</h1><p>See <a href="https://loomio.example/d/x">it</a></p>'
    publisher.chatbots.publish(config(fake.url), html)
    await until(lambda: fake.events, "an event")
    assert fake.events == [
        (
            ROOM,
            {
                "body": "NEWS\n\nSee it [https://loomio.example/d/x]",
                "msgtype": "m.text",
                "format": "org.matrix.custom.html",
                "formatted_body": html,
            },
        )
    ]


@pytest.mark.usefixtures("relay")
async def test_empty_html_is_sent_as_it_is(publisher, fake):
    publisher.chatbots.publish(config(fake.url), "")
    await until(lambda: fake.events, "an event")
    assert fake.events[0][1]["formatted_body"] == ""
    assert fake.events[0][1]["body"] == ""


@pytest.mark.usefixtures("relay")
async def test_an_alias_is_looked_up_once(publisher, fake):
    fake.aliases["#town/hall?:fake"] = ROOM
    for number in range(3):
        publisher.chatbots.test(config(fake.url, room="#town/hall?:fake"), str(number))
    await arrived(fake, "0", "1", "2")
    assert fake.paths("/directory/") == [
        "/_matrix/client/v3/directory/room/%23town%2Fhall%3F%3Afake"
    ]


@pytest.mark.usefixtures("relay")
async def test_a_proxy_that_fails_says_nothing_about_versions(publisher, fake):
    fake.faults.append(answering(502, text="<html>bad gateway</html>"))
    publisher.chatbots.test(config(fake.url), "one")
    await until(lambda: len(fake.asked) == 1, "the first attempt")
    fake.versions = {"r0"}
    await arrived(fake, "one")
    fake.versions = {"v3"}  # renewed, and the old version is gone
    publisher.chatbots.test(config(fake.url), "two")
    await arrived(fake, "one", "two")


@pytest.mark.usefixtures("relay")
async def test_a_homeserver_does_not_set_our_pace(publisher, fake):
    fake.always = answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 0.001})
    publisher.chatbots.test(config(fake.url), "x")
    await until(lambda: len(fake.asked) == 4, "four attempts")
    fake.always = None
    await arrived(fake, "x")
    assert len(fake.asked) == 5


@pytest.mark.usefixtures("relay")
async def test_redis_that_forgets_everything(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "before")
    await arrived(fake, "before")
    await until(lambda: waiting(redis) == 0, "an empty outbox")
    payload = json.dumps({**config(fake.url), "message": "after"})
    with redis.client() as client:
        seconds, _ = client.time()
        client.flushall()
        # As if its clock had gone back.
        earlier = f"{(seconds - 60) * 1000}-0"
        client.xadd("{channel_server}:outbox", {"c": "chatbot/test", "d": payload}, earlier)
    await arrived(fake, "before", "after")


@pytest.mark.usefixtures("relay")
async def test_an_alias_that_moves_is_looked_up_again(publisher, fake):
    fake.aliases["#hall:fake"] = "!old:fake"
    publisher.chatbots.test(config(fake.url, room="#hall:fake"), "one")
    await arrived(fake, "one")
    fake.closed.add("!old:fake")
    fake.aliases["#hall:fake"] = "!new:fake"
    publisher.chatbots.test(config(fake.url, room="#hall:fake"), "two")
    await arrived(fake, "one", "two")
    assert [room for room, _ in fake.events] == ["!old:fake", "!new:fake"]


@pytest.mark.usefixtures("relay")
async def test_an_old_homeserver_is_asked_in_its_own_version(publisher, fake):
    fake.versions = {"r0"}
    fake.aliases["#hall:fake"] = ROOM
    for body in ("one", "two"):
        publisher.chatbots.test(config(fake.url, room="#hall:fake"), body)
    await arrived(fake, "one", "two")
    assert len(fake.paths("/v3/")) == 1  # then it is known


@pytest.mark.usefixtures("relay")
async def test_a_bot_joins_a_room_that_it_is_not_in(publisher, fake):
    fake.outside.add(ROOM)
    publisher.chatbots.test(config(fake.url), "hello")
    publisher.chatbots.test(config(fake.url), "again")
    await arrived(fake, "hello", "again")
    assert len(fake.paths("/join/")) == 1


async def test_joining_can_be_switched_off(redis, publisher, fake, tmp_path):
    fake.outside.add(ROOM)
    with Relay(tmp_path, redis, MATRIX_AUTO_JOIN="0") as relay:
        publisher.chatbots.test(config(fake.url), "hello")
        await until(lambda: relay.lines("bot message refused"), "a word about it")
        assert fake.paths("/join/") == []
        assert "code=M_FORBIDDEN" in relay.lines("bot message refused")[0]


# ── what is given up ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        pytest.param(lambda fake: setattr(fake, "tokens", set()), "M_UNKNOWN_TOKEN", id="token"),
        pytest.param(lambda fake: fake.closed.add(ROOM), "M_FORBIDDEN", id="closed room"),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(413, {"errcode": "M_TOO_LARGE"})),
            "M_TOO_LARGE",
            id="too large",
        ),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(302, Location="http://127.0.0.1:1/")),
            "redirect",
            id="redirect",
        ),
        pytest.param(
            lambda fake: setattr(fake, "always", answering(400, {"errcode": f"M_{TOKEN} <x>"})),
            "not_matrix",
            id="strange code",
        ),
    ],
)
async def test_what_cannot_be_sent_is_given_up_with_one_line(
    relay, publisher, fake, redis, prepare, code
):
    prepare(fake)
    for number in range(3):
        publisher.chatbots.test(config(fake.url), f"secret words {number}")
    await until(lambda: waiting(redis) == 0 and relay.lines("refused"), "an empty outbox")
    (line,) = relay.lines("bot message refused")
    assert f"server={fake.url}" in line
    assert f"room={ROOM}" in line
    assert f"code={code}" in line
    assert fake.events == []
    assert TOKEN not in relay.output()
    assert "secret words" not in relay.output()


async def test_an_unknown_alias_is_given_up(relay, publisher, fake, redis):
    publisher.chatbots.test(config(fake.url, room="#nowhere:fake"), "x")
    await until(lambda: relay.lines("code=M_NOT_FOUND"), "a word about it")
    await until(lambda: waiting(redis) == 0, "an empty outbox")


@pytest.mark.usefixtures("relay")
async def test_one_bad_bot_delays_nobody(publisher, fake):
    fake.always = None
    fake.tokens = {"good"}
    for number in range(10):
        publisher.chatbots.test(config(fake.url, token="bad"), "lost")
        publisher.chatbots.test(config(fake.url, token="good"), str(number))
    await arrived(fake, *map(str, range(10)))


async def test_one_room_that_cannot_be_reached_delays_no_other_of_the_bot(relay, publisher, fake):
    """Found by a newcomer: an alias on a server that is down answers 502."""
    fake.broken_aliases.add("#far:away")
    publisher.chatbots.test(config(fake.url, room="#far:away"), "later")
    publisher.chatbots.test(config(fake.url), "now")
    await arrived(fake, "now")
    await until(lambda: relay.lines("HTTP 502"), "a word about it")
    fake.broken_aliases.clear()
    fake.aliases["#far:away"] = "!far:away"
    await arrived(fake, "now", "later")


# ── what is tried again ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(answering(500), id="500"),
        pytest.param(answering(502, text="<html>bad gateway</html>"), id="502 of a proxy"),
        pytest.param(
            answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 50}), id="429"
        ),
        pytest.param(
            answering(429, {"errcode": "M_LIMIT_EXCEEDED"}, **{"Retry-After": "0"}), id="0"
        ),
        pytest.param(answering(429, {"retry_after_ms": "soon"}), id="429 with nonsense"),
        pytest.param(answering(200, text="<html>welcome</html>"), id="junk"),
        pytest.param(answering(200, ["event_id"]), id="list"),
        pytest.param(answering(200, {"event_id": None}), id="null"),
        pytest.param(answering(200, text="x" * 100_000), id="too long"),
        pytest.param(babble, id="endless"),
        pytest.param(cut, id="cut"),
        pytest.param(accept_and_cut, id="cut after it was accepted"),
    ],
)
@pytest.mark.usefixtures("relay")
async def test_a_passing_fault_costs_nothing(publisher, fake, fault):
    fake.faults.append(fault)
    for body in ("one", "two", "three"):
        publisher.chatbots.test(config(fake.url), body)
    await arrived(fake, "one", "two", "three")
    transactions = [path.rpartition("/")[2] for path in fake.paths("/send/")]
    assert len(transactions) == 4
    assert transactions[0] == transactions[1]
    assert len(set(transactions)) == 3


@pytest.mark.usefixtures("relay")
async def test_a_rate_limit_is_obeyed(publisher, fake):
    fake.faults.append(answering(429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}))
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    publisher.chatbots.test(config(fake.url), "one")
    publisher.chatbots.test(config(fake.url, token="other"), "two")
    await arrived(fake, "two", "one")  # the other bot did not wait
    assert loop.time() - began_s >= 2.5


async def test_a_homeserver_that_is_down_gets_its_messages_later(relay, publisher, fake):
    port = fake.port
    await fake.stop()
    for number in range(5):
        publisher.chatbots.test(config(fake.url), str(number))
    await until(lambda: relay.lines("bot has to wait"), "a word about it")
    await fake.start(port)
    await arrived(fake, *map(str, range(5)))
    await until(lambda: relay.lines("bot works again"), "a word about it")
    assert len(relay.lines("bot has to wait")) == 1


async def test_old_messages_are_dropped(publisher, fake, redis, tmp_path):
    payload = {**config(fake.url), "message": "from yesterday"}
    with redis.client() as client:
        client.xadd(
            "{channel_server}:outbox", {"c": "chatbot/test", "d": json.dumps(payload)}, "1-1"
        )
        with Relay(tmp_path, redis) as relay:
            publisher.chatbots.test(config(fake.url), "fresh")
            await arrived(fake, "fresh")
            await until(lambda: waiting(redis) == 0, "an empty outbox")
            assert len(relay.lines("bot message too old")) == 1


async def test_what_waits_survives_a_crash(relay, publisher, fake, redis, tmp_path):
    fake.always = answering(503)
    for number in range(3):
        publisher.chatbots.test(config(fake.url), str(number))
    await until(lambda: len(fake.asked) > 0 and waiting(redis) == 3, "three messages that wait")
    relay.kill()
    fake.always = None
    with Relay(tmp_path, redis):
        await arrived(fake, "0", "1", "2")


async def test_killed_between_sending_and_hearing_of_it(relay, publisher, fake, redis, tmp_path):
    async def accept_and_hang(request):
        accepted.set()
        return await hang(request)

    accepted = asyncio.Event()
    fake.faults.append(accept_and_cut)
    fake.faults.append(accept_and_hang)
    publisher.chatbots.test(config(fake.url), "once")
    await asyncio.wait_for(accepted.wait(), 20)
    assert fake.bodies == ["once"]
    relay.kill()
    with Relay(tmp_path, redis):
        publisher.chatbots.test(config(fake.url), "next")
        await arrived(fake, "once", "next")


# ── more than one ───────────────────────────────────────────────────────────────────────────


async def test_two_replicas_send_each_message_once(relay, publisher, fake, redis, tmp_path):
    with Relay(tmp_path, redis) as other:
        for number in range(20):
            publisher.chatbots.test(config(fake.url), str(number))
        publisher.chatbots.test(config(fake.url), "0")  # the same words again are another message
        await arrived(fake, *map(str, range(20)), "0")
        await until(lambda: waiting(redis) == 0, "an empty outbox")
        relay.kill()
        for number in range(20):
            publisher.chatbots.test(config(fake.url), f"after {number}")
        await arrived(
            fake, *map(str, range(20)), "0", *(f"after {number}" for number in range(20))
        )
        assert other.lines("sending for bots")


async def test_a_replica_that_is_stopped_hands_over_at_once(
    relay, publisher, fake, redis, tmp_path
):
    publisher.chatbots.test(config(fake.url), "one")
    await arrived(fake, "one")
    with Relay(tmp_path, redis) as other:
        relay.process.terminate()
        assert await asyncio.to_thread(relay.process.wait, 10) == 0
        publisher.chatbots.test(config(fake.url), "two")
        await arrived(fake, "one", "two")
        assert other.lines("sending for bots")


@pytest.mark.usefixtures("relay")
async def test_redis_that_restarts_loses_nothing_that_was_heard(publisher, fake, redis):
    publisher.chatbots.test(config(fake.url), "before")
    await arrived(fake, "before")
    redis.kill()
    redis.start()
    await until(lambda: "psub=1" in _clients(redis), "a subscription")
    publisher.chatbots.test(config(fake.url), "after")
    await arrived(fake, "before", "after")


def _clients(redis):
    with redis.client() as client:
        return str(client.execute_command("CLIENT", "LIST"))


async def test_what_redis_cannot_keep_is_kept_here(relay, fake, redis):
    with redis.client() as client:
        client.config_set("maxmemory", 1)
        for number in range(3):
            client.publish(
                "chatbot/test", json.dumps({**config(fake.url), "message": str(number)})
            )
        await until(lambda: relay.lines("bot messages cannot be kept"), "a word about it")
        client.config_set("maxmemory", 0)
    await arrived(fake, "0", "1", "2")
    assert len(relay.lines("bot messages cannot be kept")) == 1


# ── bad input ───────────────────────────────────────────────────────────────────────────────

GOOD = {"server": "http://127.0.0.1:1", "access_token": TOKEN, "channel": ROOM}
BAD = [
    *({**GOOD, "message": "x", "server": server} for server in (
        None, 7, "", "127.0.0.1", "file:///etc/passwd", "javascript:alert(1)", "ftp://a",
        "http://", "http://user:pass@127.0.0.1", "http://127.0.0.1/path", "http://127.0.0.1?q",
        "http://127.0.0.1#f", "http://127.0.0.1:99999", "http://a\nb", "http://" + "a" * 10_000,
    )),
    *({**GOOD, "message": "x", "channel": channel} for channel in (
        None, 7, "", "room", "@user:fake", "#", "!", "#own", "#a b:c", "!" + "x" * 300, "#a\x00b",
    )),
    *({**GOOD, "message": "x", "access_token": token} for token in (
        None, 7, "", "two words", "line\r\nbreak", "é", "x" * 5000,
    )),
    *({**GOOD, "message": message} for message in (None, 7, ["x"], "x" * 100_000)),
    {}, [], None, 7, "text", {"message": "x"},
]  # fmt: skip
BAD_HTML = [
    *({"config": GOOD, "payload": {"html": html}} for html in (None, 7, ["x"], "<p>" * 400_000)),
    {"config": GOOD}, {"config": GOOD, "payload": None}, {"config": None, "payload": {"html": "x"}},
    {"config": "x", "payload": "y"}, {"payload": {"html": "x"}}, {},
]  # fmt: skip


async def test_bad_input_is_counted_and_nobody_notices(relay, fake, redis):
    with redis.client() as client:
        for document in BAD:
            client.publish("chatbot/test", json.dumps(document))
        for document in BAD_HTML:
            client.publish("chatbot/publish", json.dumps(document))
        for junk in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"server": NaN}'):
            client.publish("chatbot/test", junk)
        client.publish("chatbot/config", json.dumps(GOOD))
        client.publish("chatbot/", b"x")
        client.publish("chatbot/publish/7", b"x")
        client.publish("chatbot/test", json.dumps({**GOOD, "server": fake.url, "message": "fine"}))
    await arrived(fake, "fine")
    assert relay.lines("malformed bot message")
    assert TOKEN not in relay.output()
    assert "Traceback" not in relay.output()
    reasons = [line.partition("reason=")[2] for line in relay.lines("malformed bot message")]
    reasons = [reason.partition(" size=")[0] for reason in reasons]
    assert len(reasons) == len(set(reasons)) > 5  # each once in ten seconds


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<p>open <b>never closed", id="open"),
        pytest.param("</p></b>closed", id="closed"),
        pytest.param("<" * 20_000, id="less than"),
        pytest.param("<b>" * 19_000, id="deep"),
        pytest.param("<ul><li>" * 7000, id="deep list"),
        pytest.param('<a href="x', id="cut off"),
        pytest.param("<script>alert(1)</script>\x00\u202e&#0;", id="strange"),
    ],
)
@pytest.mark.usefixtures("relay")
async def test_malformed_html_is_sent_as_it_is(publisher, fake, html):
    publisher.chatbots.publish(config(fake.url), html)
    await until(lambda: fake.events, "an event")
    assert fake.events[0][1]["formatted_body"] == html


async def test_private_addresses_are_refused(redis, publisher, fake, tmp_path):
    with Relay(tmp_path, redis, MATRIX_ALLOWED_HOSTS="10.0.0.1,matrix.internal") as relay:
        for host in (
            "127.0.0.1",
            "localhost",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
            "10.0.0.2",
        ):
            publisher.chatbots.test(config(f"http://{host}:{fake.port}"), "x")
        await until(lambda: len(relay.lines("code=private_address")) == 6, "six refusals")
        await until(lambda: waiting(redis) == 0, "an empty outbox")
    assert fake.asked == []


async def test_numbers_that_are_addresses_in_disguise_are_refused(
    redis, publisher, fake, tmp_path
):
    with Relay(tmp_path, redis, MATRIX_ALLOWED_HOSTS="") as relay:
        for host in ("2130706433", "0x7f000001", "127.1", "0177.0.0.1"):
            publisher.chatbots.test(config(f"http://{host}:{fake.port}"), "x")
        await until(lambda: len(relay.lines("server=")) == 4, "a word about each")
    assert fake.asked == []
