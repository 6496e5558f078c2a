"""Messages for Matrix bots, as Rails publishes them."""

import pytest

from publisher import InvalidMessage
from publisher.chatbots import html_command, trial_command

BOT = {"server": "https://matrix.example", "access_token": "secret", "channel": "#a:example"}


def test_a_bot_is_tested_with_what_is_there():
    """Keys that are absent stay absent."""
    command = trial_command({"server": "https://matrix.example", "other": 1}, "Hi")

    assert command.words == (
        "PUBLISH",
        "chatbot/test",
        b'{"server":"https://matrix.example","message":"Hi"}',
    )


def test_a_bot_writes_html():
    command = html_command({**BOT, "id": 7}, "<p>\u00fc</p>")

    assert command.words[1:] == (
        "chatbot/publish",
        '{"config":{"server":"https://matrix.example","access_token":"secret",'
        '"channel":"#a:example"},"payload":{"html":"<p>\u00fc</p>"}}'.encode(),
    )


def test_what_is_not_known_is_null():
    assert html_command({}, None).words[2] == (
        b'{"config":{"server":null,"access_token":null,"channel":null},"payload":{"html":null}}'
    )


@pytest.mark.parametrize("config", [None, "text", {"server": 5}])
def test_a_configuration_is_a_mapping_of_text(config):
    for make in (trial_command, html_command):
        with pytest.raises(InvalidMessage, match="config"):
            make(config, "hi")


def test_neither_the_error_nor_the_command_shows_the_access_token():
    assert "secret" not in repr(html_command(BOT, "hi"))
    with pytest.raises(InvalidMessage) as caught:
        html_command(BOT, 5)
    assert "secret" not in str(caught.value)
