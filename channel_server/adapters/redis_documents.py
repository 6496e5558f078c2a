"""Documents in Redis, for two or more nodes.

Each is a hash, ``{channel_server}:document:<name>``: ``data``, and ``version``, which changes with
every writer. Nobody writes over a version that it has not read.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from channel_server.adapters.line import encode
from channel_server.adapters.script import Script
from channel_server.core.documents import Kept
from channel_server.errors import RedisLost, RedisRefused, StoreFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channel_server.adapters.commands import Commands

_KEY: Final = "{channel_server}:document:"
_WITHIN_S: Final = 5.0
_PAUSE_S: Final = 0.1

# KEYS: the document. ARGV: data, the version that is known, the new one, seconds to keep it.
_SAVE: Final = Script("""
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', ARGV[3])
if ARGV[4] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[4]) end
return 1
""")


class RedisDocuments:
    """Loads and saves on the connection of ``commands``, and waits for it a while.

    Args:
        commands: To Redis.
        node: Name of this node, for the versions.
        keep_s: How long a document is kept that nobody changes; 0: for ever.
        patience_s: How long a Redis that is away is waited for.
    """

    may_forget = True

    def __init__(
        self, commands: Commands, *, node: str, keep_s: int, patience_s: float = 10.0
    ) -> None:
        self._commands = commands
        self._node = node
        self._keep = b"%d" % keep_s
        self._patience_s = patience_s
        self._saves = 0

    async def load(self, name: str) -> Kept:
        """Read a document.

        Raises:
            StoreFailed: If Redis does not answer, or refuses.
        """
        command = encode(b"HMGET", _key(name), b"data", b"version")
        data, version = await self._patiently(
            lambda: self._commands.execute(command, within_s=_WITHIN_S)
        )
        return Kept(data, version or b"")

    async def save(self, name: str, data: bytes, version: bytes) -> bytes | None:
        """Keep a document in place of the version that is known.

        Returns:
            Its version; None if another node has kept one meanwhile, or if this was kept and
            the answer was lost.

        Raises:
            StoreFailed: If Redis does not answer, or refuses.
        """
        self._saves += 1
        new = f"{self._node}-{self._saves}".encode()
        is_kept = await self._patiently(
            lambda: self._commands.run_script(
                _SAVE, (_key(name),), (data, version, new, self._keep), _WITHIN_S
            )
        )
        return new if is_kept else None

    async def has(self, name: str, version: bytes) -> bool:
        """Tell whether Redis still has this version: it may have been restarted, emptied, or full.

        Raises:
            StoreFailed: If Redis does not answer, or refuses.
        """
        command = encode(b"HGET", _key(name), b"version")
        kept: bytes | None = await self._patiently(
            lambda: self._commands.execute(command, within_s=_WITHIN_S)
        )
        return kept == version

    async def forget(self, older_than_s: float) -> None:
        """Nothing: Redis itself drops documents that nobody has changed for so long."""

    async def _patiently(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        loop = asyncio.get_running_loop()
        give_up_at_s = loop.time() + self._patience_s
        while True:
            try:
                return await ask()
            except RedisRefused as error:
                raise StoreFailed(str(error)) from None
            except RedisLost as error:
                if loop.time() >= give_up_at_s:
                    raise StoreFailed(str(error)) from None
            await asyncio.sleep(_PAUSE_S)


def _key(name: str) -> bytes:
    return _KEY.encode() + name.encode()
