"""What the application publishes for Matrix bots, read. Pure.

Source: the wire contract, 5.2 and 5.3. Group admins choose every value, and ``chatbot/test`` needed
no login in some versions of Loomio: nothing here is to be trusted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import urlsplit

import msgspec

from channel_server.bots.blocks import TooMuchText
from channel_server.bots.plain_text import plain_text
from channel_server.core import strict_json
from channel_server.errors import MalformedMessage, MatrixRefused
from channel_server.origins import origin_of
from publisher.contract import CHATBOT_PUBLISH

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_EVENT_BYTES: Final = 65_536
_MAX_TEXT_BYTES: Final = 60_000
"""Of an event, with everything around the text."""

_MAX_PAYLOAD_BYTES: Final = 6 * _MAX_TEXT_BYTES + 8192
"""JSON may write a byte as ``\\u0000``."""

_MAX_SERVER: Final = 300
_MAX_ROOM_BYTES: Final = 255
_MAX_TOKEN: Final = 4096
_ROOM: Final = re.compile(r"![^\s]+|#[^\s:]*:\S+")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")


class Bot(msgspec.Struct, frozen=True):
    """Whose messages are sent one after the other.

    Attributes:
        server: Origin of the homeserver.
        token: Access token; never to be shown.
    """

    server: str
    token: str

    def __repr__(self) -> str:
        return f"<Bot at {self.server}>"


class BotMessage(msgspec.Struct, frozen=True):
    """A message for a room.

    Attributes:
        bot: Who sends it.
        room: ``!id:server``, or an alias, ``#name:server``.
        is_html: What ``text`` is.
        text: Plain text, or HTML.
    """

    bot: Bot
    room: str
    is_html: bool
    text: str

    def __repr__(self) -> str:
        return f"<BotMessage to {self.room} at {self.bot.server}>"

    def content(self) -> dict[str, str]:
        """The content of the Matrix event, as matrix-bot-sdk 0.5 writes it.

        Raises:
            MatrixRefused: If text and HTML are more than an event may hold.
        """
        if not self.is_html:
            return {"msgtype": "m.notice", "body": self.text}
        try:
            body = plain_text(self.text)
        except TooMuchText:
            body = ""
            size = _MAX_EVENT_BYTES
        else:
            size = len(body.encode()) + len(self.text.encode())
        if size >= _MAX_EVENT_BYTES:
            raise MatrixRefused("too_large")
        return {
            "body": body,
            "msgtype": "m.text",
            "format": "org.matrix.custom.html",
            "formatted_body": self.text,
        }


def read(channel: str, payload: bytes) -> BotMessage:
    """Read a message.

    Args:
        channel: ``CHATBOT_TEST`` or ``CHATBOT_PUBLISH``.
        payload: JSON.

    Raises:
        MalformedMessage: With what is wrong, and none of the values.
    """
    return _Reader(channel, len(payload)).read(payload)


class _Reader:
    def __init__(self, channel: str, size: int) -> None:
        self._channel = channel
        self._size = size

    def read(self, payload: bytes) -> BotMessage:
        if self._size > _MAX_PAYLOAD_BYTES:
            self._refuse("too large")
        try:
            document = strict_json.loads(payload)
        except ValueError:
            self._refuse("not JSON")
        is_html = self._channel == CHATBOT_PUBLISH
        config = self._object(document, "config") if is_html else document
        body = self._object(document, "payload") if is_html else document
        if not isinstance(config, dict):
            self._refuse("not an object")
        bot = Bot(self._server(config), self._token(config))
        return BotMessage(
            bot, self._room(config), is_html, self._words(body, "html" if is_html else "message")
        )

    def _object(self, document: Any, name: str) -> Mapping[str, Any]:
        found = document.get(name) if isinstance(document, dict) else None
        if not isinstance(found, dict):
            self._refuse(f"{name} is not an object")
        return found

    def _text(self, document: Mapping[str, Any], name: str) -> str:
        value = document.get(name)
        if not isinstance(value, str):
            self._refuse(f"{name} is missing" if value is None else f"{name} is not text")
        return value

    def _words(self, document: Mapping[str, Any], name: str) -> str:
        text = self._text(document, name)
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            self._refuse(f"{name} is no Unicode")
        if size > _MAX_TEXT_BYTES:
            self._refuse(f"{name} is too large for a Matrix event")
        return text

    def _server(self, config: Mapping[str, Any]) -> str:
        text = self._text(config, "server").strip()
        try:
            return origin_of(text) if _is_bare(text) else self._refuse_server()
        except ValueError:
            return self._refuse_server()

    def _refuse_server(self) -> NoReturn:
        self._refuse("server is not http(s)://host or http(s)://host:port")

    def _token(self, config: Mapping[str, Any]) -> str:
        token = self._text(config, "access_token").strip()
        if len(token) > _MAX_TOKEN or not _TOKEN.fullmatch(token):
            self._refuse("access_token has characters that no token has")
        return token

    def _room(self, config: Mapping[str, Any]) -> str:
        room = self._text(config, "channel").strip()
        is_room = _ROOM.fullmatch(room) and room.isprintable()
        if not is_room or len(room.encode()) > _MAX_ROOM_BYTES:
            self._refuse("channel is neither #alias:server nor !id")
        return room

    def _refuse(self, reason: str) -> NoReturn:
        raise MalformedMessage(self._channel, reason, self._size) from None


def _is_bare(url: str) -> bool:
    """Whether an address is of a server, and of nothing on it."""
    # urlsplit would ignore line breaks.
    if len(url) > _MAX_SERVER or not url.isprintable():
        return False
    parts = urlsplit(url)
    is_root = parts.path in {"", "/"} and "?" not in url and "#" not in url
    return is_root and "@" not in parts.netloc
