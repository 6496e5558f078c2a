"""What is accepted as a message for a bot, and what each refusal says."""

import json

import pytest

from channel_server.bots.messages import Bot, read
from channel_server.errors import MalformedMessage, MatrixRefused
from publisher.contract import CHATBOT_PUBLISH as PUBLISH
from publisher.contract import CHATBOT_TEST as TEST

TOKEN = "syt_secret"
CONFIG = {"server": "https://matrix.example", "access_token": TOKEN, "channel": "#hall:example"}


def trial(**changes):
    return json.dumps({**CONFIG, "message": "hello", **changes}).encode()


def html(text, **changes):
    return json.dumps({"config": {**CONFIG, **changes}, "payload": {"html": text}}).encode()


def test_a_test_message():
    message = read(TEST, trial())
    assert message.bot == Bot("https://matrix.example", TOKEN)
    assert message.room == "#hall:example"
    assert message.content() == {"msgtype": "m.notice", "body": "hello"}


def test_an_html_message():
    assert read(PUBLISH, html("<p>a</p>")).content() == {
        "body": "a",
        "msgtype": "m.text",
        "format": "org.matrix.custom.html",
        "formatted_body": "<p>a</p>",
    }


@pytest.mark.parametrize(
    ("server", "origin"),
    [
        ("https://matrix.example/", "https://matrix.example"),
        (" HTTPS://Matrix.Example:443 ", "https://matrix.example"),
        ("http://matrix.example:8008", "http://matrix.example:8008"),
        ("https://mätrix.example", "https://xn--mtrix-gra.example"),
        ("http://[2001:db8::1]:8008", "http://[2001:db8::1]:8008"),
    ],
)
def test_one_server_is_one_bot_however_it_is_written(server, origin):
    assert read(TEST, trial(server=server)).bot.server == origin


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server": None}, "server is missing"),
        ({"server": 7}, "server is not text"),
        ({"server": "file:///etc/passwd"}, "server is not http(s)://host or http(s)://host:port"),
        ({"server": "https://a/b"}, "server is not http(s)://host or http(s)://host:port"),
        ({"server": "https://u:p@a"}, "server is not http(s)://host or http(s)://host:port"),
        ({"server": "https://a?"}, "server is not http(s)://host or http(s)://host:port"),
        ({"access_token": None}, "access_token is missing"),
        ({"access_token": "a\r\nb"}, "access_token has characters that no token has"),
        ({"channel": None}, "channel is missing"),
        ({"channel": "hall"}, "channel is neither #alias:server nor !id"),
        ({"channel": "#\ud800:x"}, "channel is neither #alias:server nor !id"),
        ({"message": None}, "message is missing"),
        ({"message": "\ud800"}, "message is no Unicode"),
        ({"message": "x" * 60_001}, "message is too large for a Matrix event"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_quoted(changes, reason):
    with pytest.raises(MalformedMessage) as caught:
        read(TEST, trial(**changes))
    assert caught.value.reason == reason
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"{", "not JSON"),
        (b"[]", "config is not an object"),
        (b'{"config": null}', "config is not an object"),
        (b'{"config": {}, "payload": []}', "payload is not an object"),
        (html(None), "html is missing"),
        (html(["x"]), "html is not text"),
        (html("x" * 1_000_000), "too large"),
    ],
)
def test_what_is_wrong_with_html(payload, reason):
    with pytest.raises(MalformedMessage) as caught:
        read(PUBLISH, payload)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            "<ol start=999999999><li>" * 49 + "<pre>" + "\n" * 58_000, id="lists in lists"
        ),
        pytest.param("<blockquote>" * 90 + "x<br>" * 10_000, id="quotes in quotes"),
        pytest.param("x" * 40_000, id="twice too much"),
    ],
)
def test_text_and_html_that_no_event_holds(text):
    with pytest.raises(MatrixRefused) as caught:
        read(PUBLISH, html(text)).content()
    assert caught.value.code == "too_large"


def test_nothing_shows_the_token():
    message = read(TEST, trial())
    assert TOKEN not in f"{message!r} {message} {message.bot!r}"
    assert "hello" not in repr(message)
