"""What can be found out about a Redis from outside, with a connection of one's own."""

from __future__ import annotations

import asyncio
import secrets
from time import perf_counter
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from channel_server.adapters.cluster_directory import ClusterDirectory
from channel_server.adapters.line import RequestLine, encode
from channel_server.adapters.script import Script
from channel_server.adapters.subscription import Subscription
from channel_server.core import users
from channel_server.errors import RedisLost, RedisRefused
from publisher.contract import CHATBOTS, CONTROL, CURRENT_USERS, RECORDS, SYSTEM_NOTICE
from publisher.contract.journal import JOURNAL, PROBE
from publisher.contract.redis_url import Kind, read_url

if TYPE_CHECKING:
    from channel_server.core.users import Identity

_WITHIN_S: Final = 5.0
_ENTRY: Final = b"x" * 4096

_TRY: Final = Script("""
-- KEYS: a stream, a hash, a string, a sorted set and a set of its own. ARGV: what is written.
-- Each command that the scripts of the journal, of tokens and of bots use, once:
-- tests/unit/adapters/test_examination.py compares. Returns how many entries could be read.
local stream, hash, text, sorted, set = unpack(KEYS)
local now = redis.call('TIME')
local id = redis.call('XADD', stream, '*', 'd', ARGV[1])
local entries = #redis.call('XRANGE', stream, '-', '+') + redis.call('XLEN', stream)
redis.call('XINFO', 'STREAM', stream)
redis.call('XDEL', stream, id)
redis.call('XTRIM', stream, 'MAXLEN', 0)
redis.call('HSET', hash, 'a', now[1])
redis.call('HSETNX', hash, 'c', now[1])
redis.call('HINCRBY', hash, 'b', 1)
redis.call('HGET', hash, 'a')
redis.call('HMGET', hash, 'a', 'b')
redis.call('HDEL', hash, 'a')
redis.call('SET', text, ARGV[1], 'NX')
redis.call('GET', text)
redis.call('EXISTS', text)
redis.call('PEXPIRE', text, 10000)
redis.call('PTTL', text)
redis.call('TTL', text)
redis.call('ZADD', sorted, now[1], 'a')
redis.call('ZCARD', sorted)
redis.call('ZREM', sorted, 'b')
redis.call('ZREMRANGEBYSCORE', sorted, '-inf', '(0')
redis.call('SADD', set, 'a')
redis.call('SMEMBERS', set)
redis.call('SRANDMEMBER', set)
redis.call('SREM', set, 'b')
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 10) end
redis.call('DEL', unpack(KEYS))
redis.call('PUBLISH', '{channel_server}:probe:nobody', '')
return entries
""")
_KEPT_IN: Final = (b"stream", b"hash", b"string", b"zset", b"set")


class Keeping(NamedTuple):
    """What becomes of what Redis has.

    Attributes:
        policy: Which keys it drops when it is full; ``noeviction``: none. None: it does not say.
        is_on_disk: It survives a restart. None: it does not say.
    """

    policy: str | None
    is_on_disk: bool | None


class Examination:
    """Asks one Redis one question after the other. All of them raise ``RedisLost``.

    Args:
        url: Of the Redis.
        line: A connection to it.
    """

    def __init__(self, url: str, line: RequestLine) -> None:
        self._url = url
        self._line = line

    @classmethod
    async def begin(cls, url: str) -> Self:
        """Connect."""
        return cls(url, await RequestLine.to(url, _WITHIN_S))

    def close(self) -> None:
        """Hang up."""
        self._line.close("examined")

    async def version(self) -> tuple[str, int, int] | None:
        """``redis`` or ``valkey``, major and minor version; None if it does not say.

        Valkey says that it is a Redis of version 7.2, too.
        """
        info = await self._info("server")
        told = [(name, info.get(f"{name}_version", "").split(".")) for name in ("redis", "valkey")]
        found = [
            (name, int(numbers[0]), int(numbers[1])) for name, numbers in told if len(numbers) > 1
        ]
        return max(found, default=None)

    async def keeping(self) -> Keeping:
        """What becomes of what it has."""
        memory = await self._info("memory")
        policy = memory.get("maxmemory_policy")
        is_limited = memory.get("maxmemory") != "0"
        return Keeping(policy if is_limited else "noeviction", await self._is_on_disk())

    async def _is_on_disk(self) -> bool | None:
        if (await self._info("persistence")).get("aof_enabled") == "1":
            return True
        try:
            command = encode(b"CONFIG", b"GET", b"save")
            saves = await self._line.execute(command, within_s=_WITHIN_S)
        except RedisRefused:
            return None
        return bool(saves[1]) if saves else None

    async def _info(self, section: str) -> dict[str, str]:
        try:
            told = await self._line.execute(encode(b"INFO", section.encode()), within_s=_WITHIN_S)
        except RedisRefused:
            return {}
        pairs = (line.partition(":") for line in told.decode().splitlines())
        return {name: value for name, _, value in pairs}

    async def now_s(self) -> float:
        """Seconds since 1970 by its clock. Raises ``RedisRefused``."""
        seconds, microseconds = await self._line.execute(encode(b"TIME"), within_s=_WITHIN_S)
        return int(seconds) + int(microseconds) / 1_000_000

    async def echo_s(self) -> float:
        """How long a message takes to one who subscribes to all that servers hear, in seconds.

        Raises:
            RedisRefused: If publishing is not allowed; ``RedisLost`` if subscribing is not.
        """
        heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        channel = f"{PROBE}doctor-{secrets.token_hex(8)}"

        def take(where: str, payload: bytes) -> int:
            if where == channel and not heard.done():
                heard.set_result(perf_counter())
            return len(payload)

        names = (channel, RECORDS, SYSTEM_NOTICE, CONTROL)
        subscription = Subscription(
            {name.encode(): name for name in names}, take, (CHATBOTS.encode(),)
        )
        await subscription.open(self._url)
        try:
            await subscription.subscribe(_WITHIN_S)
            began_s = perf_counter()
            await self._line.execute(
                encode(b"PUBLISH", channel.encode(), b"are you there?"), within_s=_WITHIN_S
            )
            async with asyncio.timeout(_WITHIN_S):
                return await heard - began_s
        except TimeoutError:
            raise RedisLost("nothing was heard") from None
        finally:
            subscription.close("examined")

    async def try_journal(self) -> None:
        """Do what the server's scripts do, to keys of our own, which are deleted in the end.

        Raises:
            RedisRefused: If scripts, streams or writing are not allowed or not possible; with
                the code ``WRONGTYPE`` also if something else is kept where the journal should be.
        """
        prefix = f"{{channel_server}}:doctor:{secrets.token_hex(8)}:".encode()
        keys = tuple(prefix + kind for kind in _KEPT_IN)
        for command in (
            encode(b"XRANGE", JOURNAL.encode(), b"-", b"+", b"COUNT", b"1"),
            _TRY.in_full(keys, (_ENTRY,)),
            _TRY.by_name(keys, (_ENTRY,)),
            encode(b"XREAD", b"COUNT", b"1", b"STREAMS", keys[0], b"0"),
            encode(b"ZRANGE", keys[3], b"0", b"-1"),
        ):
            await self._line.execute(command, within_s=_WITHIN_S)

    async def who_is(self, token: str) -> Identity | None:
        """Who a channel token stands for; None for a visitor. Raises ``RedisRefused``."""
        url = read_url(self._url)
        if url.kind is Kind.CLUSTER:  # it may be at another node
            directory = ClusterDirectory(url, patience_s=_WITHIN_S, token_ttl_s=0)
            try:
                return await directory.find(token)
            finally:
                await directory.close()
        key = f"{CURRENT_USERS}{token}".encode()
        stored = await self._line.execute(encode(b"GET", key), within_s=_WITHIN_S)
        return None if stored is None else users.read(stored)
