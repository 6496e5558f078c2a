"""Messages for Matrix bots, as Redis commands. Pure.

They are published plainly: the channel server keeps them itself until they are sent, and whoever
keeps a list of messages has no business with the access tokens in these. Source: the wire contract,
5.2 and 5.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypedDict

from publisher.command import Command
from publisher.contract import CHATBOT_PUBLISH, CHATBOT_TEST
from publisher.errors import InvalidMessage
from publisher.payload import payload

if TYPE_CHECKING:
    from collections.abc import Mapping

TEST_MESSAGE: Final = "Loomio bot connection test successful!"
_KEYS: Final = ("server", "access_token", "channel")


class MatrixConfig(TypedDict, total=False):
    """Where a bot writes, and as whom.

    ``channel`` is a room's id (``!id:example.org``) or its alias (``#room:example.org``).
    """

    server: str | None
    access_token: str | None
    channel: str | None


def trial_command(config: MatrixConfig, message: str) -> Command:
    """Let a bot say that it works.

    Returns:
        ``PUBLISH chatbot/test`` with those of ``server``, ``access_token`` and ``channel`` that
        are in the configuration, and ``message``.

    Raises:
        InvalidMessage: If the configuration is no mapping of text.
    """
    document = {**_checked(config), "message": _text("message", message)}
    return Command(("PUBLISH", CHATBOT_TEST, payload("config", document)))


def html_command(config: MatrixConfig, html: str | None) -> Command:
    """Let a bot write into its room.

    Returns:
        ``PUBLISH chatbot/publish`` with ``{"config":{...},"payload":{"html":...}}``.

    Raises:
        InvalidMessage: If the configuration is no mapping of text, or the HTML no text.
    """
    known = _checked(config)
    document = {
        "config": {key: known.get(key) for key in _KEYS},
        "payload": {"html": None if html is None else _text("html", html)},
    }
    return Command(("PUBLISH", CHATBOT_PUBLISH, payload("html", document)))


def _checked(config: Mapping[str, object]) -> dict[str, str | None]:
    if not hasattr(config, "keys"):
        raise InvalidMessage("config", f"must be a mapping, not {type(config).__name__}")
    found: dict[str, str | None] = {}
    for key in _KEYS:
        if key in config:
            value = config[key]
            found[key] = None if value is None else _text(f"config[{key!r}]", value)
    return found


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidMessage(field, f"must be a str, not {type(value).__name__}")
    return value
