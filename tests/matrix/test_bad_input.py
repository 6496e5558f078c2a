"""What strangers publish, and where they would like us to go."""

import json

import pytest

from tests.integration.program import until
from tests.matrix.relay import ROOM, TOKEN, Relay, arrived, config, waiting

pytestmark = [pytest.mark.redis, pytest.mark.asyncio]


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
        await until(lambda: relay.lines("server=http://0x7f000001"), "a word about the name")
        await until(lambda: relay.lines("malformed bot message"), "a word about the others")
        publisher.chatbots.test(config("http://fine.invalid"), "x")
        await until(lambda: relay.lines("server=http://fine.invalid"), "all have been looked at")
        assert len(relay.lines("server=")) == 2
    assert fake.asked == []
