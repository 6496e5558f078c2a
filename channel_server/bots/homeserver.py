"""One attempt to put a message into a Matrix room: a few requests, each of them repeatable.

Source: the Matrix client-server API, version 1.1 and later; ``r0`` of it is what homeservers before
2021 know, and what the original used. Whoever repeats an attempt passes the same transaction id, by
which the homeserver knows a message that it has already.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import quote

from channel_server.bots.memory import Memory
from channel_server.bots.retry_after import wait_s_of
from channel_server.errors import AddressRefused, MatrixBusy, MatrixRefused, ServerUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channel_server.adapters.guarded_http import Answer, GuardedHttp
    from channel_server.bots.messages import Bot

_OK: Final = 200
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_TOO_MANY: Final = 429
_SERVER_ERRORS: Final = 500
_REDIRECTS: Final = range(300, 400)
_TRY_AGAIN: Final = frozenset({408, 425})
_UNKNOWN_ENDPOINT: Final = frozenset({400, 404, 405})

_VERSIONS: Final = ("v3", "r0")
_ROOMS_KNOWN: Final = 1000
_ROOM_KNOWN_S: Final = 60.0
_TOMBSTONE_KNOWN_S: Final = 1.0
"""A burst costs a request a second: the homeserver answers it from its own database, while an alias
may be another homeserver's.
"""

_VERSIONS_KNOWN: Final = 1000
_VERSION_KNOWN_S: Final = 3600.0
_MAX_CODE: Final = 64


class Homeservers:
    """Sends messages to rooms of any homeserver.

    Args:
        http: For requests.
        joins: Whether a bot that is not in a room tries to join it.
        clock: Monotonic seconds.
        now: The date and time, in UTC.
    """

    def __init__(
        self,
        http: GuardedHttp,
        *,
        joins: bool,
        clock: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._http = http
        self._joins = joins
        self._now = now
        self._rooms = Memory[tuple[str, str]](_ROOMS_KNOWN, _ROOM_KNOWN_S, clock)
        self._looked_at = Memory[tuple[str, str]](_ROOMS_KNOWN, _TOMBSTONE_KNOWN_S, clock)
        self._looking_up: dict[tuple[str, str], asyncio.Event] = {}
        self._versions = Memory[str](_VERSIONS_KNOWN, _VERSION_KNOWN_S, clock)

    async def send(self, bot: Bot, room: str, content: Mapping[str, Any], transaction: str) -> str:
        """Send a message once.

        Args:
            bot: Who sends it.
            room: Id or alias.
            content: Of an ``m.room.message``.
            transaction: Known to nobody but this message.

        Returns:
            The id of the event.

        Raises:
            MatrixRefused: If it will never be sent.
            MatrixBusy: If it may be sent later.
        """
        known = await self._known(bot, room)
        try:
            return await self._send_to(bot, room, known, content, transaction)
        except MatrixRefused as error:
            if known is None or error.status not in {_FORBIDDEN, _NOT_FOUND}:
                raise
        # The alias may have been given to another room.
        self._forget(bot, room, known)
        return await self._send_to(bot, room, None, content, transaction)

    async def _send_to(
        self,
        bot: Bot,
        room: str,
        room_id: str | None,
        content: Mapping[str, Any],
        transaction: str,
    ) -> str:
        if room_id is None:
            room_id = room if room.startswith("!") else await self._look_up(bot, room)
        path = f"rooms/{_quoted(room_id)}/send/m.room.message/{_quoted(transaction)}"
        answer = await self._ask(bot, "PUT", path, content)
        if answer.status == _FORBIDDEN and self._joins:
            joined = await self._ask(bot, "POST", f"join/{_quoted(room)}", {})
            self._text_in(joined, "room_id")
            answer = await self._ask(bot, "PUT", path, content)
        return self._text_in(answer, "event_id")

    async def _known(self, bot: Bot, alias: str) -> str | None:
        """The room that an alias leads to; None if it has to be looked up."""
        key = (bot.server, alias)
        room_id = self._rooms.get(key)
        if room_id is None or not self._looked_at.is_news(key):
            return room_id
        path = f"rooms/{_quoted(room_id)}/state/m.room.tombstone"
        if (await self._ask(bot, "GET", path)).status != _OK:
            return room_id  # it has none, or the bot may not know
        # The room has been replaced. Its alias, not the tombstone, says what by.
        self._forget(bot, alias, room_id)
        return None

    def _forget(self, bot: Bot, alias: str, room_id: str) -> None:
        """Look an alias up again, unless another message has done so meanwhile."""
        if self._rooms.get((bot.server, alias)) == room_id:
            self._rooms.forget((bot.server, alias))

    async def _look_up(self, bot: Bot, alias: str) -> str:
        """Ask where an alias leads; whoever comes meanwhile waits for the same answer."""
        key = (bot.server, alias)
        if (other := self._looking_up.get(key)) is not None:
            await other.wait()
            # If it failed, all ask for themselves: what one bot is told may not hold for another.
            return self._rooms.get(key) or await self._ask_for_room(bot, alias)
        answered = self._looking_up[key] = asyncio.Event()
        try:
            return self._rooms.get(key) or await self._ask_for_room(bot, alias)
        finally:
            del self._looking_up[key]
            answered.set()

    async def _ask_for_room(self, bot: Bot, alias: str) -> str:
        answer = await self._ask(bot, "GET", f"directory/room/{_quoted(alias)}")
        room_id = self._text_in(answer, "room_id")
        self._rooms.put((bot.server, alias), room_id)
        self._looked_at.put((bot.server, alias), "now")
        return room_id

    async def _ask(
        self, bot: Bot, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> Answer:
        """Ask in the newest version that the homeserver knows."""
        known = self._versions.get(bot.server)
        answers = []
        for version in sorted(_VERSIONS, key=lambda version: version != known):
            url = f"{bot.server}/_matrix/client/{version}/{path}"
            try:
                answer = await self._http.request(method, url, token=bot.token, body=body)
            except AddressRefused:
                raise MatrixRefused("private_address") from None
            except ServerUnreachable as error:
                raise MatrixBusy(error.reason) from None
            if _is_of_matrix(answer):
                self._versions.put(bot.server, version)
            if not _is_unknown_endpoint(answer):
                return answer
            answers.append(answer)
        self._versions.forget(bot.server)
        return answers[0]

    def _text_in(self, answer: Answer, name: str) -> str:
        """What a homeserver answers if all is well.

        Raises:
            MatrixRefused: If it says no.
            MatrixBusy: If it cannot say.
        """
        if answer.status != _OK:
            _refuse(answer, self._now())
        value = answer.document.get(name)
        if not isinstance(value, str) or not value:
            raise MatrixBusy("an answer that is not Matrix")
        return value


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _is_of_matrix(answer: Answer) -> bool:
    """Whether a homeserver itself has answered, in a version that it knows."""
    is_busy = answer.status == _TOO_MANY or answer.status >= _SERVER_ERRORS
    is_known = answer.status == _OK or (bool(_code_of(answer)) and not is_busy)
    return is_known and not _is_unknown_endpoint(answer)


def _is_unknown_endpoint(answer: Answer) -> bool:
    """Whether a homeserver does not know this version of the API; a room would have a code."""
    code = _code_of(answer)
    return (answer.status in _UNKNOWN_ENDPOINT and code == "M_UNRECOGNIZED") or (
        answer.status == _NOT_FOUND and not code
    )


def _refuse(answer: Answer, now: datetime) -> NoReturn:
    wait_s = wait_s_of(answer.document, answer.retry_after, now)
    if answer.status == _TOO_MANY:
        raise MatrixBusy("rate limit", wait_s)
    if answer.status >= _SERVER_ERRORS or answer.status in _TRY_AGAIN:
        raise MatrixBusy(f"HTTP {answer.status}", wait_s)
    if answer.status in _REDIRECTS:
        raise MatrixRefused("redirect", answer.status)
    raise MatrixRefused(_code_of(answer) or "not_matrix", answer.status)


def _code_of(answer: Answer) -> str:
    """Matrix' error code. Whatever else stands there is not to be repeated."""
    code = answer.document.get("errcode")
    is_code = (
        isinstance(code, str)
        and len(code) <= _MAX_CODE
        and code.isascii()
        and code.replace("_", "").replace(".", "").isalnum()
    )
    return str(code) if is_code else ""
