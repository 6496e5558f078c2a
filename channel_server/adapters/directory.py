"""Who a channel token stands for, asked of Redis; and tokens kept alive while they are used."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from channel_server.adapters.line import encode
from channel_server.adapters.refusals import code_of, is_refusal, is_unknown_command
from channel_server.adapters.script import Script
from channel_server.core import users
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract import CURRENT_USERS
from publisher.contract.journal import TOKENS, TOKENS_SPARE_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from channel_server.adapters.commands import Commands
    from channel_server.core.names import UserId
    from channel_server.core.users import Identity

log = logging.getLogger(__name__)

_PREFIX: Final = CURRENT_USERS.encode()
_TOKENS: Final = TOKENS.encode()
_CANNOT_TELL: Final = frozenset({"LOADING", "MASTERDOWN", "NOAUTH"})
"""What concerns everybody on a connection, and is over with it."""
_SCRIPTS_AGAIN_AFTER_S: Final = 60.0
"""Rights may have been mended."""

_RENEW: Final = """
local function renew(key, full)
  local left = redis.call('PTTL', key)
  if left > 0 and left < tonumber(full) then redis.pcall('PEXPIRE', key, full) end
end
"""
_LOOK_UP: Final = Script(f"""{_RENEW}
-- KEYS: a token's key. ARGV: its full length in ms. Returns who it stands for.
local stored = redis.call('GET', KEYS[1])
if stored then renew(KEYS[1], ARGV[1]) end
return stored
""")
_RENEW_ALL: Final = Script(f"""{_RENEW}
-- KEYS: tokens' keys and users' sets of tokens. ARGV: the full length of each in ms.
for i, key in ipairs(KEYS) do renew(key, ARGV[i]) end
""")


class Directory:
    """Looks tokens up. A question survives the loss of the connection: it is asked again.

    A token that has a TTL gets all of it again whenever its owner connects, and whenever
    ``renew`` is called; one that has none never gets one. A longer TTL is not shortened.

    Args:
        commands: To Redis.
        patience_s: After this long without an answer the look-up fails.
        token_ttl_s: The full length of a TTL.
    """

    def __init__(self, commands: Commands, *, patience_s: float, token_ttl_s: int) -> None:
        self._commands = commands
        self._patience_s = patience_s
        self._ttl_ms = b"%d" % (token_ttl_s * 1000)
        self._set_ttl_ms = b"%d" % ((token_ttl_s + TOKENS_SPARE_S) * 1000)
        self._scripts_again_at: float | None = None  # None: they are not refused
        self._is_timer_set = False
        # Encoded but for the key: 0.4 instead of 2.4 µs for each client that connects.
        self._head, self._end = _LOOK_UP.around_key(self._ttl_ms)
        self._open: dict[asyncio.Future[bytes | None], tuple[bytes, float]] = {}
        commands.connected.append(self._ask_again)

    async def find(self, token: str) -> Identity | None:
        """Look a token up.

        Returns:
            None for a visitor: the token is unknown, or what is stored has no id.

        Raises:
            RedisLost: If Redis did not answer within ``patience_s``.
            RedisRefused: If Redis refuses this look-up; others may be answered.
            MalformedUser: If what is stored cannot be read.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes | None] = loop.create_future()
        key = _PREFIX + token.encode()
        if not self._is_timer_set:
            self._is_timer_set = True
            loop.call_later(self._patience_s, self._expire)
        self._open[answer] = key, loop.time() + self._patience_s
        self._ask(answer, key)
        try:
            stored = await answer
        finally:
            del self._open[answer]
        return None if stored is None else users.read(stored)

    def _expire(self) -> None:
        """Give up the questions whose time is up. One timer for all: they wait equally long."""
        self._is_timer_set = False
        loop = asyncio.get_running_loop()
        now = loop.time()
        for answer, (_, due_s) in self._open.items():
            if due_s > now:
                self._is_timer_set = True
                loop.call_at(due_s, self._expire)
                return
            if not answer.done():
                answer.set_exception(RedisLost("no answer to a look-up"))

    def renew(self, owners: Iterable[tuple[str, UserId]]) -> None:
        """Give tokens their full time again; without a connection, or without leave, nothing.

        Args:
            owners: Tokens and whose they are.
        """
        keys = {}
        for token, user_id in owners:
            keys[_PREFIX + token.encode()] = self._ttl_ms
            keys[_TOKENS + user_id.encode()] = self._set_ttl_ms
        if keys and self._may_script():
            self._renew(tuple(keys), tuple(keys.values()))

    def _renew(self, keys: tuple[bytes, ...], lengths: tuple[bytes, ...]) -> None:
        def answered(reply: Any) -> None:
            if is_refusal(reply) and code_of(reply) == "NOSCRIPT":
                self._commands.send(_RENEW_ALL.in_full(keys, lengths), lambda _: None)

        self._commands.send(_RENEW_ALL.by_name(keys, lengths), answered)

    def _may_script(self) -> bool:
        again_at = self._scripts_again_at
        return again_at is None or asyncio.get_running_loop().time() >= again_at

    def _ask_again(self) -> None:
        for answer, (key, _) in self._open.items():
            self._ask(answer, key)

    def _ask(self, answer: asyncio.Future[bytes | None], key: bytes) -> None:
        by_script = self._may_script()
        if by_script:
            command = b"%b$%d\r\n%b\r\n%b" % (self._head, len(key), key, self._end)
        else:
            command = encode(b"GET", key)
        self._commands.send(command, partial(self._answered, answer, key, by_script=by_script))

    def _answered(
        self, answer: asyncio.Future[bytes | None], key: bytes, reply: Any, *, by_script: bool
    ) -> None:
        if is_refusal(reply):
            self._refused(answer, key, reply, by_script=by_script)
            return
        if by_script and self._scripts_again_at is not None:
            self._scripts_again_at = None
            log.info("Redis allows scripts again")
        if not answer.done():
            answer.set_result(reply if isinstance(reply, bytes) else None)

    def _refused(
        self, answer: asyncio.Future[bytes | None], key: bytes, reply: Any, *, by_script: bool
    ) -> None:
        code = code_of(reply)
        if code == "NOSCRIPT":
            command = _LOOK_UP.in_full((key,), (self._ttl_ms,))
            self._commands.send(command, partial(self._answered, answer, key, by_script=True))
        elif by_script and (code == "NOPERM" or is_unknown_command(reply)):
            if self._scripts_again_at is None:
                log.warning("Redis allows no scripts: tokens are not renewed")
            now = asyncio.get_running_loop().time()
            self._scripts_again_at = now + _SCRIPTS_AGAIN_AFTER_S
            self._ask(answer, key)
        elif code in _CANNOT_TELL:
            # It is asked again on the next connection.
            self._commands.give_up(f"refused by Redis: {code}")
        elif not answer.done():
            if code == "WRONGTYPE":
                answer.set_result(None)
            else:
                answer.set_exception(RedisRefused(code))
